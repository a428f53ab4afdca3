package cli

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

func FuzzUser(f *testing.F) {
	for _, word := range []string{"0", "1000:1000", "1000:", ":5", "4294967295", "4294967294:0", "root", "-1", "+5", "1:2:3", "0x10", "1_000"} {
		f.Add(word)
	}
	f.Fuzz(func(t *testing.T, word string) {
		const before = 77
		user := specs.User{GID: before}
		if err := parseUser(word, &user); err != nil {
			return
		}
		if user.UID == math.MaxUint32 || user.GID == math.MaxUint32 {
			t.Errorf("%q: an id that means no change", word)
		}
		uid, gid, both := strings.Cut(word, ":")
		if n, err := strconv.ParseUint(uid, 10, 32); err != nil || uint32(n) != user.UID {
			t.Errorf("%q: uid %d", word, user.UID)
		}
		want := uint64(before)
		if both {
			want, _ = strconv.ParseUint(gid, 10, 32)
		}
		if uint64(user.GID) != want {
			t.Errorf("%q: gid %d", word, user.GID)
		}
	})
}

func FuzzBytes(f *testing.F) {
	for _, word := range []string{"-1", "0", "64m", "1GiB", "9223372036854775807", "8388608T", "1kb", "k", "-2", " 1", "1 k"} {
		f.Add(word)
	}
	f.Fuzz(func(t *testing.T, word string) {
		n, err := parseBytes(word)
		if err != nil {
			return
		}
		if n < 0 && word != "-1" {
			t.Errorf("%q is %d", word, n)
		}
		if again, err := parseBytes(fmt.Sprint(n)); err != nil || again != n {
			t.Errorf("%q is %d, which is %d, %v", word, n, again, err)
		}
	})
}
