package specconv

import "testing"

func TestReadsSemanticVersions(t *testing.T) {
	for v, want := range map[string][2]int{
		"1.0.0": {1, 0}, "1.2.1": {1, 2}, "10.20.30": {10, 20}, "1.0.2-dev": {1, 0}, "1.0.0-rc.1+build.007": {1, 0}, "1.1.0+x-y.0": {1, 1}, "1.0.0--": {1, 0},
		"1.0.0-0a": {1, 0}, "1.0.0-0": {1, 0},
	} {
		if major, minor, ok := semver(v); !ok || major != want[0] || minor != want[1] {
			t.Errorf("%q: got %d, %d, %t", v, major, minor, ok)
		}
	}
	for _, v := range []string{
		"", "1", "1.0", "1.0.0.0", "v1.0.0", "01.0.0", "1.00.0", "1.0.-1", "1.0.+1", "1.0.0-", "1.0.0+", "1.0.0-a..b", "1.0.0-01", "1.0.0-ä",
		"1.0.0+a+b", " 1.0.0", "1.0.0 ", "1.0.99999999999999999999",
	} {
		if _, _, ok := semver(v); ok {
			t.Errorf("%q is accepted", v)
		}
	}
}
