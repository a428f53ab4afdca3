package specconv

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// The kernel's own bounds, for the largest machines it can be configured for.
const (
	maxCPUs  = 8192
	maxNodes = 1024
)

// CPUList is the mask for sched_setaffinity(2) of a list such as 0-3,7: bit n of the mask is CPU n. Its
// length is a multiple of 8 bytes, as the kernel wants it. The list must name a CPU.
func CPUList(list string) ([]byte, error) {
	words, err := bitList(list, maxCPUs)
	if err != nil {
		return nil, err
	}
	if len(words) == 0 {
		return nil, errors.New("names no CPU")
	}
	mask := make([]byte, 0, 8*len(words))
	for _, word := range words {
		for shift := 0; shift < 64; shift += 8 { // as a little-endian machine has it in memory
			mask = append(mask, byte(word>>shift&0xff))
		}
	}
	return mask, nil
}

// NodeList is the node mask for set_mempolicy(2) of a list such as 0-3,7. The empty list is no words.
func NodeList(list string) ([]uint64, error) { return bitList(list, maxNodes) }

// bitList reads the list format of cpuset(7): numbers and ranges of them, separated by commas. As the kernel
// does, it takes spaces around each and empty elements.
func bitList(list string, bound uint64) ([]uint64, error) {
	var words []uint64
	for element := range strings.SplitSeq(list, ",") {
		element = strings.Trim(element, " ")
		if element == "" {
			continue
		}
		from, to, isRange := strings.Cut(element, "-")
		if !isRange {
			to = from
		}
		first, err := bit(from, bound)
		if err != nil {
			return nil, err
		}
		last, err := bit(to, bound)
		if err != nil {
			return nil, err
		}
		if first > last {
			return nil, fmt.Errorf("the range %q runs backwards", element)
		}
		for uint64(len(words)) <= last/64 {
			words = append(words, 0)
		}
		for n := first; n <= last; n++ {
			words[n/64] |= 1 << (n % 64)
		}
	}
	return words, nil
}

func bit(s string, bound uint64) (uint64, error) {
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil || !digits(s) {
		return 0, fmt.Errorf("%q is not a number; a list looks like 0-3,7", s)
	}
	if n >= bound {
		return 0, fmt.Errorf("%s is more than %d, the largest number that Linux has", s, bound-1)
	}
	return n, nil
}

// cpus reports what is not a list of CPUs. "" is no list.
func (k checker) cpus(field, list string) {
	if list == "" {
		return
	}
	if _, err := CPUList(list); err != nil {
		k.bad(field, list, "%s", err.Error())
	}
}

// nodes reports what is not a list of memory nodes.
func (k checker) nodes(field, list string) []uint64 {
	words, err := NodeList(list)
	if err != nil {
		k.bad(field, list, "%s", err.Error())
	}
	return words
}
