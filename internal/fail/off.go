//go:build !failpoints

// Package fail gives tests a hold on the lines between which hull may be
// killed, or the kernel may refuse. Only a build with the tag failpoints has any.
package fail

import "hull/internal/plan"

// Point is where a test may fail, kill or stop the process. Nothing, in ordinary builds.
func Point(string) error { return nil }

// Plan is where a test may make an operation of a plan fail. Nothing, in ordinary builds.
func Plan(*plan.Plan) {}

// Off is where a test may switch a guard off, to see that an attack succeeds
// which it stops. Never, in ordinary builds.
func Off(string) bool { return false }
