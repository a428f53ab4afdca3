package cri

import (
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	grpcstatus "google.golang.org/grpc/status"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// lifeTests are how pods and containers begin and end.
var lifeTests = []test{
	{"run and logs", func(p *pod) error {
		c, err := p.run(untilStopped("echo to out; echo to err >&2; exit 3"))
		if err != nil {
			return err
		}
		out, _ := c.logged("stdout", "to out\n")
		errs, _ := c.logged("stderr", "to err\n")
		s, err := c.stopped()
		if err != nil {
			return err
		}
		if s.ExitCode != 3 || s.Reason != "Error" || out != "to out\n" || errs != "to err\n" {
			return fmt.Errorf("exit code %d, reason %q, output %q, errors %q", s.ExitCode, s.Reason, out, errs)
		}
		return nil
	}},
	{"sandbox status", func(p *pod) error {
		if err := p.start(); err != nil {
			return err
		}
		r, err := p.runtime.PodSandboxStatus(p.ctx, &cri.PodSandboxStatusRequest{PodSandboxId: p.id})
		if err != nil {
			return err
		}
		if r.Status.State != cri.PodSandboxState_SANDBOX_READY || r.Status.RuntimeHandler != p.handler || !strings.HasPrefix(r.Status.Network.Ip, "10.99.0.") {
			return fmt.Errorf("the sandbox is %v", r.Status)
		}
		_, err = p.runtime.StopPodSandbox(p.ctx, &cri.StopPodSandboxRequest{PodSandboxId: p.id})
		return err
	}},
	{"hostname, variables and directory", func(p *pod) error {
		return p.prints(`echo "$(hostname) $A $(pwd)"`, 0, p.name+" b /tmp\n", func(c *cri.ContainerConfig) {
			c.Envs, c.WorkingDir = []*cri.KeyValue{{Key: "A", Value: "b"}}, "/tmp"
		})
	}},
	{"program that is missing", func(p *pod) error {
		_, err := p.run("", func(c *cri.ContainerConfig) { c.Command = []string{"nothing"} })
		if err == nil || !strings.Contains(err.Error(), "executable file not found in $PATH") {
			return fmt.Errorf("the error is %w", err)
		}
		return nil
	}},
	{"restart of a container that crashed", func(p *pod) error {
		c, err := p.run("exit 5")
		if err != nil {
			return err
		}
		s, err := c.ended()
		if err != nil {
			return err
		}
		if s.ExitCode != 5 {
			return fmt.Errorf("exit code %d", s.ExitCode)
		}
		c, err = p.run("sleep 100", func(c *cri.ContainerConfig) { c.Metadata.Name, c.Metadata.Attempt = "c1", 1 })
		if err != nil {
			return err
		}
		return c.wants("echo again", "again")
	}},
	{"out of memory", func(p *pod) error {
		// the shim listens after the start, and to the end at most: that has to wait for it
		c, err := p.run("until [ -e /go ]; do sleep 0.1; done; tail /dev/zero; sleep 100", func(c *cri.ContainerConfig) { c.Linux.Resources.MemoryLimitInBytes = 16 << 20 })
		if err != nil {
			return err
		}
		if _, err := c.exec("touch /go"); err != nil {
			return err
		}
		for reason := ""; reason != "OOMKilled"; time.Sleep(50 * time.Millisecond) {
			s, err := c.status()
			if err != nil {
				return err
			}
			reason = s.Reason
		}
		if err := c.stop(0); err != nil {
			return err
		}
		s, err := c.ended()
		if err == nil && (s.Reason != "OOMKilled" || s.ExitCode != 137) {
			err = fmt.Errorf("the reason is %q, the exit code %d", s.Reason, s.ExitCode)
		}
		return err
	}},
	{"stop in time and out of time", func(p *pod) error {
		for code, script := range map[int32]string{
			8: `trap "exit 8" TERM; echo ready; while :; do sleep 0.1; done`, 137: `trap "" TERM; echo ready; while :; do sleep 0.1; done`,
		} {
			c, err := p.run(script)
			if err != nil {
				return err
			}
			for out := ""; out != "ready\n"; out, _ = c.output("stdout") {
				time.Sleep(50 * time.Millisecond)
			}
			seconds := int64(patience.Seconds())
			if code == 137 {
				seconds = 1
			}
			if err := c.stop(seconds); err != nil {
				return err
			}
			if s, err := c.status(); err != nil || s.ExitCode != code {
				return fmt.Errorf("%s: exit code %d, want %d: %w", script, s.GetExitCode(), code, err)
			}
		}
		return nil
	}},
	{"exec", func(p *pod) error {
		c, err := p.run("sleep 100")
		if err != nil {
			return err
		}
		r, err := p.runtime.ExecSync(p.ctx, &cri.ExecSyncRequest{ContainerId: c.id, Cmd: []string{"sh", "-c", "echo out; echo err >&2; exit 4"}})
		if err == nil && (r.ExitCode != 4 || string(r.Stdout) != "out\n" || string(r.Stderr) != "err\n") {
			err = fmt.Errorf("exec: %v", r)
		}
		return err
	}},
	{"exec with a time-out", func(p *pod) error {
		c, err := p.run("sleep 100")
		if err != nil {
			return err
		}
		_, err = p.runtime.ExecSync(p.ctx, &cri.ExecSyncRequest{ContainerId: c.id, Cmd: []string{"sleep", "77"}, Timeout: 1})
		if grpcstatus.Code(err) != codes.DeadlineExceeded {
			return fmt.Errorf("the error is %w", err)
		}
		return c.wants(`ps | grep -c "sleep 7[7]" || true`, "0")
	}},
	{"exec of what is missing", func(p *pod) error {
		c, err := p.run("sleep 100")
		if err != nil {
			return err
		}
		_, err = p.runtime.ExecSync(p.ctx, &cri.ExecSyncRequest{ContainerId: c.id, Cmd: []string{"nothing"}})
		if err == nil || !strings.Contains(err.Error(), "executable file not found in $PATH") {
			return fmt.Errorf("the error is %w", err)
		}
		return nil
	}},
	{"list", func(p *pod) error {
		c, err := p.run("sleep 100")
		if err != nil {
			return err
		}
		r, err := p.runtime.ListContainers(p.ctx, &cri.ListContainersRequest{Filter: &cri.ContainerFilter{PodSandboxId: p.id}})
		if err == nil && (len(r.Containers) != 1 || r.Containers[0].Id != c.id || r.Containers[0].State != cri.ContainerState_CONTAINER_RUNNING) {
			err = fmt.Errorf("listed are %v", r.Containers)
		}
		return err
	}},
	{"reopened log", func(p *pod) error {
		c, err := p.run("sleep 100")
		if err != nil {
			return err
		}
		_, err = p.runtime.ReopenContainerLog(p.ctx, &cri.ReopenContainerLogRequest{ContainerId: c.id})
		return err
	}},
}
