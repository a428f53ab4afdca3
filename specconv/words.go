package specconv

// word is one name of the spec and the kernel's number for it. Tables of words stand in the order
// of the kernel's numbers, and are searched from the start: they are short, and cost nothing at
// program start, as maps would.
type word struct {
	name   string
	number uint64
}

func number(words []word, name string) (uint64, bool) {
	for _, w := range words {
		if w.name == name {
			return w.number, true
		}
	}
	return 0, false
}

func names(words []word) []string {
	all := make([]string, len(words))
	for i, w := range words {
		all[i] = w.name
	}
	return all
}
