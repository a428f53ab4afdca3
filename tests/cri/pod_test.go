package cri

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// pod is a sandbox and its containers.
type pod struct {
	*node
	ctx     context.Context
	handler string
	name    string
	logs    string
	id      string
	config  *cri.PodSandboxConfig
	count   int
}

// container is one of a pod.
type container struct {
	*pod
	id, log string
}

type (
	podEdit       func(*cri.PodSandboxConfig)
	containerEdit func(*cri.ContainerConfig)
)

// start runs the sandbox.
func (p *pod) start(edits ...podEdit) error {
	p.config = &cri.PodSandboxConfig{
		Metadata: &cri.PodSandboxMetadata{Name: p.name, Uid: p.name, Namespace: "default"}, Hostname: p.name, LogDirectory: p.logs,
		Linux: &cri.LinuxPodSandboxConfig{CgroupParent: "/pods/" + p.name, SecurityContext: &cri.LinuxSandboxSecurityContext{
			NamespaceOptions: &cri.NamespaceOption{Pid: cri.NamespaceMode_CONTAINER},
		}},
	}
	for _, e := range edits {
		e(p.config)
	}
	if p.config.Linux.SecurityContext.NamespaceOptions.Network == cri.NamespaceMode_NODE {
		p.config.Hostname = "" // it is the node's
	}
	r, err := p.runtime.RunPodSandbox(p.ctx, &cri.RunPodSandboxRequest{Config: p.config, RuntimeHandler: p.handler})
	if err != nil {
		return err
	}
	p.id = r.PodSandboxId
	return nil
}

func (p *pod) remove() {
	if p.id == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, _ = p.runtime.StopPodSandbox(ctx, &cri.StopPodSandboxRequest{PodSandboxId: p.id})
	_, _ = p.runtime.RemovePodSandbox(ctx, &cri.RemovePodSandboxRequest{PodSandboxId: p.id})
}

// create makes a container that runs the script.
func (p *pod) create(script string, edits ...containerEdit) (*container, error) {
	p.count++
	name := fmt.Sprintf("c%d", p.count)
	config := &cri.ContainerConfig{
		Metadata: &cri.ContainerMetadata{Name: name}, Image: &cri.ImageSpec{Image: image}, Command: []string{"sh", "-c", script}, LogPath: name + ".log",
		Linux: &cri.LinuxContainerConfig{Resources: &cri.LinuxContainerResources{}, SecurityContext: &cri.LinuxContainerSecurityContext{
			NamespaceOptions: p.config.Linux.SecurityContext.NamespaceOptions,
		}},
	}
	for _, e := range edits {
		e(config)
	}
	r, err := p.runtime.CreateContainer(p.ctx, &cri.CreateContainerRequest{PodSandboxId: p.id, Config: config, SandboxConfig: p.config})
	if err != nil {
		return nil, err
	}
	return &container{p, r.ContainerId, filepath.Join(p.logs, config.LogPath)}, nil
}

// run creates and starts one.
func (p *pod) run(script string, edits ...containerEdit) (*container, error) {
	if p.id == "" {
		if err := p.start(); err != nil {
			return nil, err
		}
	}
	c, err := p.create(script, edits...)
	if err != nil {
		return nil, err
	}
	_, err = p.runtime.StartContainer(p.ctx, &cri.StartContainerRequest{ContainerId: c.id})
	return c, err
}

// untilStopped is a script that ends, with its exit code, when the container is stopped. containerd 1.6 closes its end
// of the pipes as soon as it hears of a container's end, and what it has not read yet does not get into the log.
func untilStopped(script string) string {
	return "trap stop=yes TERM; (" + script + `); code=$?; until [ "$stop" ]; do sleep 0.05; done; exit $code`
}

// prints runs a container until it has written what is wanted to its standard output, stops it, and compares its exit code.
func (p *pod) prints(script string, code int32, want string, edits ...containerEdit) error {
	c, err := p.run(untilStopped(script), edits...)
	if err != nil {
		return err
	}
	out, err := c.logged("stdout", want)
	if err != nil {
		return err
	}
	if !strings.Contains(out, want) {
		errs, _ := c.output("stderr")
		return fmt.Errorf("%s: output %q, want %q in it; errors %q", script, out, want, errs)
	}
	status, err := c.stopped()
	if err != nil {
		return err
	}
	if status.ExitCode != code {
		return fmt.Errorf("%s: exit code %d, want %d; output %q", script, status.ExitCode, code, out)
	}
	return nil
}

// stopped stops the container, and waits for its end.
func (c *container) stopped() (*cri.ContainerStatus, error) {
	if err := c.stop(int64(patience / time.Second)); err != nil {
		return nil, err
	}
	return c.ended()
}

func (c *container) status() (*cri.ContainerStatus, error) {
	r, err := c.runtime.ContainerStatus(c.ctx, &cri.ContainerStatusRequest{ContainerId: c.id})
	if err != nil {
		return nil, err
	}
	return r.Status, nil
}

// ended waits for the container's end.
func (c *container) ended() (*cri.ContainerStatus, error) {
	for {
		s, err := c.status()
		if err != nil || s.State == cri.ContainerState_CONTAINER_EXITED {
			return s, err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// output is what the container has written to a stream, from the log: `TIME STREAM TAG TEXT`.
func (c *container) output(stream string) (string, error) {
	data, err := os.ReadFile(c.log)
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	} else if err != nil {
		return "", err
	}
	var out strings.Builder
	for line := range strings.Lines(string(data)) {
		fields := strings.SplitN(line, " ", 4)
		if len(fields) == 4 && fields[1] == stream {
			out.WriteString(fields[3])
		}
	}
	return out.String(), nil
}

// logged is the output when want is in it, or as it is when the time is over: the
// log is written by somebody else than the one who says that the container has ended.
func (c *container) logged(stream, want string) (string, error) {
	for {
		out, err := c.output(stream)
		if err != nil || strings.Contains(out, want) || c.ctx.Err() != nil {
			return out, err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// exec runs a command in the container and returns its output.
func (c *container) exec(script string) (string, error) {
	r, err := c.runtime.ExecSync(c.ctx, &cri.ExecSyncRequest{ContainerId: c.id, Cmd: []string{"sh", "-c", script}})
	if err != nil {
		return "", err
	}
	if r.ExitCode != 0 {
		return "", fmt.Errorf("%s: exit code %d: %s%s", script, r.ExitCode, r.Stdout, r.Stderr)
	}
	return string(r.Stdout), nil
}

// wants compares what a command in the container prints.
func (c *container) wants(script, want string) error {
	got, err := c.exec(script)
	if err == nil && strings.TrimSpace(got) != want {
		err = fmt.Errorf("%s: %q, want %q", script, got, want)
	}
	return err
}

func (c *container) stop(seconds int64) error {
	_, err := c.runtime.StopContainer(c.ctx, &cri.StopContainerRequest{ContainerId: c.id, Timeout: seconds})
	return err
}

// security changes the container's security context.
func security(edit func(*cri.LinuxContainerSecurityContext)) containerEdit {
	return func(c *cri.ContainerConfig) { edit(c.Linux.SecurityContext) }
}

// namespaces changes the pod's, which are its containers' too.
func namespaces(edit func(*cri.NamespaceOption)) podEdit {
	return func(c *cri.PodSandboxConfig) { edit(c.Linux.SecurityContext.NamespaceOptions) }
}

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
