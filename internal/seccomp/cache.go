package seccomp

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"runtime"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	libseccomp "github.com/seccomp/libseccomp-golang"
	"golang.org/x/sys/unix"
)

// The cache keeps one file per program, because libseccomp takes milliseconds
// for a large profile and engines use the same one for most containers.
//
//	DIR/<key in hex>	cacheMagic, the key, SHA-256 of the program, the program
//
// A wrong program would be a hole in a container, so whatever has a part in
// the program is in the key, and a file counts only if it and the directory
// are ours alone, it is whole, and it was made for this key. A torn write or a
// swapped file is thus a miss, and is replaced. There is no defence against
// someone who can write as us; such a one can replace hull.

// formatVersion is part of the key: count it up when the code of this package
// makes another program of the same profile.
const formatVersion = 2

const (
	cacheMagic = "hullbpf\n"
	headerSize = len(cacheMagic) + 2*sha256.Size
	maxFile    = headerSize + maxInsns*insnSize
	// More programs than one host has different profiles; a whole cache is
	// then below 2 MiB.
	maxFiles = 64
)

type key [sha256.Size]byte

func (k key) fileName() string { return hex.EncodeToString(k[:]) }

// newKey is the hash of all that determines the program. Flags and listener
// are not in it: they are not in the program either. The kernel's release is,
// as libseccomp refuses actions that the kernel lacks.
func newKey(s *specs.LinuxSeccomp) key {
	major, minor, micro := libseccomp.GetLibraryVersion()
	var uts unix.Utsname
	_ = unix.Uname(&uts) // fails only on a bad address
	b := make([]byte, 0, 16<<10)
	b = appendString(b, fmt.Sprintf("%d %d.%d.%d %s", formatVersion, major, minor, micro, runtime.GOARCH))
	b = appendString(b, unix.ByteSliceToString(uts.Release[:]))
	return sha256.Sum256(appendProfile(b, s))
}

// appendProfile writes the profile in a form that no other profile has: every
// string and list after its length. (encoding/json takes four times as long.)
func appendProfile(b []byte, s *specs.LinuxSeccomp) []byte {
	b = appendString(b, string(s.DefaultAction))
	b = appendErrno(b, s.DefaultErrnoRet)
	b = binary.AppendUvarint(b, uint64(len(s.Architectures)))
	for _, arch := range s.Architectures {
		b = appendString(b, string(arch))
	}
	b = binary.AppendUvarint(b, uint64(len(s.Syscalls)))
	for i := range s.Syscalls {
		call := &s.Syscalls[i]
		b = binary.AppendUvarint(b, uint64(len(call.Names)))
		for _, name := range call.Names {
			b = appendString(b, name)
		}
		b = appendString(b, string(call.Action))
		b = appendErrno(b, call.ErrnoRet)
		b = binary.AppendUvarint(b, uint64(len(call.Args)))
		for _, arg := range call.Args {
			b = binary.AppendUvarint(b, uint64(arg.Index))
			b = binary.AppendUvarint(b, arg.Value)
			b = binary.AppendUvarint(b, arg.ValueTwo)
			b = appendString(b, string(arg.Op))
		}
	}
	return b
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// appendErrno tells an absent errno from 0.
func appendErrno(b []byte, errno *uint) []byte {
	if errno == nil {
		return append(b, 0)
	}
	return binary.AppendUvarint(append(b, 1), uint64(*errno))
}

// encodeEntry is the content of the file for a program.
func encodeEntry(k key, program []byte) []byte {
	sum := sha256.Sum256(program)
	b := make([]byte, 0, headerSize+len(program))
	b = append(b, cacheMagic...)
	b = append(b, k[:]...)
	b = append(b, sum[:]...)
	return append(b, program...)
}

// decodeEntry is the program in the content of a file, or nil if it is not the
// whole entry for the key.
func decodeEntry(k key, b []byte) []byte {
	if len(b) < headerSize+insnSize || len(b) > maxFile || (len(b)-headerSize)%insnSize != 0 {
		return nil
	}
	magic, rest := b[:len(cacheMagic)], b[len(cacheMagic):]
	program := b[headerSize:]
	if string(magic) != cacheMagic || key(rest[:sha256.Size]) != k {
		return nil
	}
	if sha256.Sum256(program) != key(rest[sha256.Size:2*sha256.Size]) {
		return nil
	}
	return program
}
