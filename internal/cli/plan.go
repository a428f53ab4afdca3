package cli

import (
	"fmt"
	"text/tabwriter"

	urfave "github.com/urfave/cli/v2"

	"hull/libcontainer"
)

func planCommand() *urfave.Command {
	return &urfave.Command{
		Name:  "plan",
		Usage: "check a bundle and print what run would do inside the container, in order, without doing it",
		Flags: []urfave.Flag{bundleFlag(), configFlag()},
		Action: func(c *urfave.Context) error {
			if _, err := operands(c, 0, 0); err != nil {
				return err
			}
			return printPlan(c)
		},
	}
}

func printPlan(c *urfave.Context) error {
	ops, err := libcontainer.Plan(libcontainer.CreateOptions{
		Bundle: c.String("bundle"), Config: c.String("config"), Stdio: stdio(),
		Rootless: rootless(c), Run: true,
	})
	if err != nil {
		return err
	}
	const padding = 2
	t := tabwriter.NewWriter(c.App.Writer, 0, 0, padding, ' ', 0)
	fmt.Fprint(t, "STEP OR FIELD\tTARGET\tOPERATION\n")
	for _, op := range ops {
		fmt.Fprintf(t, "%s\t%s\t%s\n", op.Field, op.Target, op.Name)
	}
	return t.Flush()
}
