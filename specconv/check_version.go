package specconv

import (
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// version is config.md, Specification version. Within a major version the spec is compatible.
func (k checker) version(v string) {
	major, _, ok := semver(v)
	switch {
	case v == "":
		k.bad("ociVersion", nil, "is missing, and is REQUIRED by the spec").hint("hull knows " + specs.Version)
	case !ok:
		k.bad("ociVersion", v, "is not a semantic version, as in %s", specs.Version)
	case major != specs.VersionMajor:
		k.bad("ociVersion", v, "is not a version that hull knows, which are those from 1.0.0 to %s", specs.Version)
	}
}

// semver reads the first two numbers of a version after https://semver.org/spec/v2.0.0.html.
func semver(v string) (major, minor int, ok bool) {
	v, build, hasBuild := strings.Cut(v, "+")
	v, pre, hasPre := strings.Cut(v, "-")
	if hasBuild && !identifiers(build, false) || hasPre && !identifiers(pre, true) {
		return 0, 0, false
	}
	numbers := strings.Split(v, ".")
	if len(numbers) != 3 {
		return 0, 0, false
	}
	var n [3]int
	for i, s := range numbers {
		number, err := strconv.Atoi(s)
		if err != nil || !digits(s) || leadingZero(s) {
			return 0, 0, false
		}
		n[i] = number
	}
	return n[0], n[1], true
}

// identifiers is whether s is a list of semver's dotted identifiers. Those of a
// pre-release that are numbers have no leading zeros.
func identifiers(s string, pre bool) bool {
	for id := range strings.SplitSeq(s, ".") {
		if id == "" || pre && digits(id) && leadingZero(id) {
			return false
		}
		for _, c := range []byte(id) {
			if c != '-' && !alphanumeric(c) {
				return false
			}
		}
	}
	return true
}

func digits(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}

func leadingZero(s string) bool { return len(s) > 1 && s[0] == '0' }

func alphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}
