package cli

import (
	"errors"
	"time"

	urfave "github.com/urfave/cli/v2"

	"hull/internal/trace"
)

// bornKey leads to the function that tells when the process began.
const bornKey = "born"

// beginTrace switches --trace on.
func beginTrace(c *urfave.Context) error {
	if !c.IsSet("trace") {
		return nil
	}
	path := c.String("trace")
	if path == "" {
		return errors.New("--trace: the file's name is empty")
	}
	born, ok := c.App.Metadata[bornKey].(func() time.Time)
	if !ok {
		born = time.Now
	}
	return trace.Begin(path, born())
}
