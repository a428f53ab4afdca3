package tests

import (
	"fmt"
	"os"
)

// sampleName is the variable by which a machine that is too slow for the long
// enumerations asks for a part of them: 3/8 is every eighth, from the third
// on. Runs with 1/8 to 8/8 together are the whole.
const sampleName = "HULL_SAMPLE"

// sampleOf reads the variable.
func sampleOf(text string) (first, step int, err error) {
	if text == "" {
		return 1, 1, nil
	}
	if _, err := fmt.Sscanf(text, "%d/%d", &first, &step); err != nil || first < 1 || step < first {
		return 0, 0, fmt.Errorf("%s (%s): want something like 3/8", sampleName, text)
	}
	return first, step, nil
}

// sample is which of n things to do: all of them unless HULL_SAMPLE asks for
// less, and at least one.
func sample(n int) []int {
	first, step, _ := sampleOf(os.Getenv(sampleName))
	if n == 0 {
		return nil
	}
	list := []int{(first - 1) % n}
	for i := first - 1 + step; i < n; i += step {
		list = append(list, i)
	}
	return list
}

// someOf is the list, or a third of it where sample does less: the parts
// 1/16, 6/16 and 11/16 together do all.
func someOf[T any](list []T) (some []T) {
	first, step, _ := sampleOf(os.Getenv(sampleName))
	for i, one := range list {
		if step == 1 || i%3 == first%3 {
			some = append(some, one)
		}
	}
	return some
}
