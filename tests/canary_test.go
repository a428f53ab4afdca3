package tests

import "hull/tests/canary"

// canary makes a directory with files of all sorts in it and returns its path. When the
// test ends, nothing in it may have changed: no name, contents, mode, owner or attribute.
func (b *box) canary(name string) string {
	b.t.Helper()
	dir := b.path(name)
	look, err := canary.Make(dir)
	b.check(err)
	b.canaries[dir] = look
	return dir
}

// wantCanaries asserts that all canaries are as they were.
func (b *box) wantCanaries() {
	b.t.Helper()
	for dir, before := range b.canaries {
		after, err := canary.Look(dir)
		b.check(err)
		if after != before {
			b.t.Errorf("%s was changed:\nbefore:\n%s\nafter:\n%s", dir, before, after)
		}
	}
}
