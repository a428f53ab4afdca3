package seccomp

// musl.c is compiled because a file of the package imports "C": this one.

import "C"
