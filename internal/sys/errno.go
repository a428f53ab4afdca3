package sys

import (
	"errors"
	"syscall"
)

// Bare is the errno inside err, without the path and the call that Go's
// errors repeat: for messages that have named both already. Other errors stay as they are.
func Bare(err error) error {
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno
	}
	return err
}
