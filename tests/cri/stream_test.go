package cri

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/moby/spdystream"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// dial upgrades a connection to the streaming server to SPDY/3.1, as kubectl's have it.
func dial(address, protocol string) (*spdystream.Connection, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		return nil, err
	}
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	request, err := http.NewRequest(http.MethodPost, address, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Connection", "Upgrade")
	request.Header.Set("Upgrade", "SPDY/3.1")
	request.Header.Set("X-Stream-Protocol-Version", protocol)
	if err := request.Write(conn); err != nil {
		return nil, err
	}
	response, err := http.ReadResponse(bufio.NewReaderSize(conn, 16), request)
	if err != nil {
		return nil, err
	}
	response.Body.Close()
	if response.StatusCode != http.StatusSwitchingProtocols {
		return nil, fmt.Errorf("%s: %s", address, response.Status)
	}
	session, err := spdystream.NewConnection(conn, false)
	if err != nil {
		return nil, err
	}
	go session.Serve(spdystream.NoOpStreamHandler)
	return session, nil
}

// open opens a stream of the type.
func open(session *spdystream.Connection, kind string, more ...string) (*spdystream.Stream, error) {
	header := http.Header{"Streamtype": {kind}}
	for i := 0; i < len(more); i += 2 {
		header.Set(more[i], more[i+1])
	}
	s, err := session.CreateStream(header, nil, false)
	if err != nil {
		return nil, err
	}
	return s, s.Wait()
}

// talk says something to a process and compares what it answers.
func talk(address, say, want, resize string) error {
	session, err := dial(address, "v4.channel.k8s.io")
	if err != nil {
		return err
	}
	defer session.Close()
	streams := map[string]*spdystream.Stream{}
	kinds := []string{"error", "stdin", "stdout"}
	if resize != "" {
		kinds = append(kinds, "resize")
	}
	for _, kind := range kinds {
		if streams[kind], err = open(session, kind); err != nil {
			return err
		}
	}
	if resize != "" {
		if _, err := io.WriteString(streams["resize"], resize); err != nil {
			return err
		}
	}
	if _, err := io.WriteString(streams["stdin"], say); err != nil {
		return err
	}
	heard := ""
	for buf := make([]byte, 4096); !strings.Contains(heard, want); {
		n, err := streams["stdout"].Read(buf)
		heard += string(buf[:n])
		if err != nil && !strings.Contains(heard, want) {
			return fmt.Errorf("heard %q, want %q in it: %w", heard, want, err)
		}
	}
	return nil
}

// streamTests are what goes through the streaming server.
var streamTests = []test{
	{"attach", func(p *pod) error {
		c, err := p.run(`read line; echo "got $line"; sleep 100`, func(c *cri.ContainerConfig) { c.Stdin = true })
		if err != nil {
			return err
		}
		r, err := p.runtime.Attach(p.ctx, &cri.AttachRequest{ContainerId: c.id, Stdin: true, Stdout: true})
		if err != nil {
			return err
		}
		return talk(r.Url, "words\n", "got words", "")
	}},
	{"exec in a terminal that is resized", func(p *pod) error {
		c, err := p.run("sleep 100")
		if err != nil {
			return err
		}
		r, err := p.runtime.Exec(p.ctx, &cri.ExecRequest{
			ContainerId: c.id, Tty: true, Stdin: true, Stdout: true,
			Cmd: []string{"sh", "-c", `tty; until stty size | grep '33 99'; do sleep 0.1; done; read line; echo "got $line"`},
		})
		if err != nil {
			return err
		}
		return talk(r.Url, "words\n", "got words", `{"Width": 99, "Height": 33}`)
	}},
	{"exec with input", func(p *pod) error {
		c, err := p.run("sleep 100")
		if err != nil {
			return err
		}
		r, err := p.runtime.Exec(p.ctx, &cri.ExecRequest{ContainerId: c.id, Stdin: true, Stdout: true, Cmd: []string{"cat"}})
		if err != nil {
			return err
		}
		return talk(r.Url, "through\n", "through\n", "")
	}},
	{"attach to a terminal", func(p *pod) error {
		c, err := p.run(`until stty size | grep '33 99'; do sleep 0.1; done; sleep 100`, func(c *cri.ContainerConfig) { c.Stdin, c.Tty = true, true })
		if err != nil {
			return err
		}
		r, err := p.runtime.Attach(p.ctx, &cri.AttachRequest{ContainerId: c.id, Stdin: true, Stdout: true, Tty: true})
		if err != nil {
			return err
		}
		return talk(r.Url, "\n", "33 99", `{"Width": 99, "Height": 33}`)
	}},
	{"port-forward", func(p *pod) error {
		c, err := p.run(`echo served | nc -l -p 8080; sleep 100`)
		if err != nil {
			return err
		}
		for _, err := c.exec("netstat -ltn | grep 8080"); err != nil; _, err = c.exec("netstat -ltn | grep 8080") {
			if p.ctx.Err() != nil {
				return err
			}
		}
		r, err := p.runtime.PortForward(p.ctx, &cri.PortForwardRequest{PodSandboxId: p.id, Port: []int32{8080}})
		if err != nil {
			return err
		}
		session, err := dial(r.Url, "portforward.k8s.io")
		if err != nil {
			return err
		}
		defer session.Close()
		if _, err := open(session, "error", "port", "8080", "requestID", "0"); err != nil {
			return err
		}
		data, err := open(session, "data", "port", "8080", "requestID", "0")
		if err != nil {
			return err
		}
		line, err := bufio.NewReader(data).ReadString('\n')
		if line != "served\n" {
			return fmt.Errorf("forwarded was %q: %w", line, err)
		}
		return nil
	}},
}
