package cgroups

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"hull/internal/dbus"
)

// manager is a connection to systemd: to that of the system, or to the one
// that a user has, which runs in a cgroup that the system's has delegated.
type manager struct {
	conn    *dbus.Conn
	version int    // of systemd
	cgroup  string // below which it makes its units' cgroups: "" for the system's
}

const (
	systemdName  = "org.freedesktop.systemd1"
	managerIface = systemdName + ".Manager"
)

// dialManager connects by the message bus or, where there is none, directly.
func dialManager(user bool) (*manager, error) {
	if _, err := os.Stat("/run/systemd/system"); err != nil { // sd_booted(3)
		return nil, fmt.Errorf("systemd does not run this host: %w", fs.ErrNotExist)
	}
	bus, direct := "/run/dbus/system_bus_socket", "/run/systemd/private"
	if user {
		dir := os.Getenv("XDG_RUNTIME_DIR")
		if dir == "" {
			dir = fmt.Sprintf("/run/user/%d", os.Getuid())
		}
		bus, direct = filepath.Join(dir, "bus"), filepath.Join(dir, "systemd/private")
		if path := unixPath(os.Getenv("DBUS_SESSION_BUS_ADDRESS")); path != "" {
			bus = path
		}
	}
	m, err := askManager(bus, true)
	if err == nil {
		return m, nil
	}
	m, err2 := askManager(direct, false)
	if err2 == nil {
		return m, nil
	}
	return nil, fmt.Errorf("systemd cannot be asked: %w", errors.Join(err, err2))
}

// unixPath is the socket in a D-Bus address such as unix:path=/run/user/1000/bus,guid=….
func unixPath(address string) string {
	for one := range strings.SplitSeq(address, ";") {
		keys, ok := strings.CutPrefix(one, "unix:")
		for key := range strings.SplitSeq(keys, ",") {
			if path, is := strings.CutPrefix(key, "path="); ok && is {
				return path
			}
		}
	}
	return ""
}

// askManager connects to the manager at a socket and asks what it is.
func askManager(socket string, bus bool) (*manager, error) {
	conn, err := dbus.Dial(socket, bus)
	if err != nil {
		return nil, err
	}
	m := &manager{conn: conn}
	version, err := m.property("Version")
	if err == nil {
		m.cgroup, err = m.property("ControlGroup")
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	digits := strings.TrimLeft(version, "v") // 252.39-1~deb12u1, v255
	if end := strings.IndexFunc(digits, func(r rune) bool { return r < '0' || r > '9' }); end >= 0 {
		digits = digits[:end]
	}
	m.version, _ = strconv.Atoi(digits) // 0, very old, if that is no number
	return m, nil
}

// property reads a property of the manager, which is a string.
func (m *manager) property(name string) (string, error) {
	result, err := m.conn.Call(dbus.Call{
		Destination: systemdName, Path: "/org/freedesktop/systemd1", Interface: "org.freedesktop.DBus.Properties", Member: "Get",
		Signature: "ss", Args: []any{managerIface, name},
	})
	if err != nil {
		return "", err
	}
	if len(result) == 1 {
		if v, ok := result[0].(dbus.Variant); ok {
			if text, ok := v.Value.(string); ok {
				return text, nil
			}
		}
	}
	return "", fmt.Errorf("systemd's property %s is no string", name)
}

func call(member, signature string, args ...any) dbus.Call {
	return dbus.Call{
		Destination: systemdName, Path: "/org/freedesktop/systemd1", Interface: managerIface,
		Member: member, Signature: signature, Args: args,
	}
}

// jobError is a job of systemd that did not end well.
type jobError struct{ unit, result string }

func (e *jobError) Error() string {
	fact := map[string]string{
		"canceled": "was canceled", "timeout": "timed out", "failed": "failed", "dependency": "failed for a unit that it needs",
		"skipped": "was skipped", "invalid": "is not possible for it", "assert": "failed for an assertion", "unsupported": "is not supported",
	}[e.result]
	if fact == "" {
		fact = "ended as " + e.result
	}
	return fmt.Sprintf("systemd's job for %s %s: `journalctl -u %s` may tell more", e.unit, fact, e.unit)
}

// job calls a method that starts a job, and waits for the job.
func (m *manager) job(unit string, c dbus.Call) error {
	if err := m.conn.Signals(managerIface, "JobRemoved"); err != nil {
		return err
	}
	if err := m.conn.Send(call("Subscribe", "")); err != nil {
		return err
	}
	reply, err := m.conn.Call(c)
	if err != nil {
		return err
	}
	var result string
	err = m.conn.Wait(func(s dbus.Message) bool {
		if s.Member != "JobRemoved" {
			return false
		}
		args, err := s.Args() // id, job, unit, result
		if err != nil || len(args) != 4 || len(reply) != 1 || args[1] != reply[0] {
			return false
		}
		result, _ = args[3].(string)
		return true
	})
	if err == nil && result != "done" {
		err = &jobError{unit, result}
	}
	return err
}

// isError says that err is the D-Bus error systemd1.name.
func isError(err error, name string) bool {
	e, ok := errors.AsType[*dbus.Error](err)
	return ok && e.Name == systemdName+"."+name
}
