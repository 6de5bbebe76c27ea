// SPDX-License-Identifier: GPL-2.0-or-later

package protocol

import (
	"encoding/json"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Errand is a worker for one command of a process that lives no longer: the way
// of Dialer, Door and Channel in fewer steps, by one thread. Its connections are
// the caller's alone, and end with the process.
type Errand struct {
	Door    *Conn // to the master
	Channel *Conn // to the worker
	Worker  uint64
}

// Errand asks a master that runs already for a worker. Hello and request go
// together: asking a stranger for a worker does no harm. After any error the long
// way may still lead somewhere.
func (d *Dialer) Errand(class Class) (*Errand, error) {
	a, err := d.address()
	if err != nil {
		return nil, err
	}
	c, err := d.connect(a)
	if err != nil {
		return nil, err
	}
	e, err := d.errand(c, a, class)
	if err != nil {
		c.Close()
		return nil, err
	}
	return e, nil
}

func (d *Dialer) errand(c *Conn, a *address, class Class) (*Errand, error) {
	if err := c.SetRecvTimeout(welcomeLimit); err != nil {
		return nil, fmt.Errorf("receive timeout: %w", err)
	}
	hello, err := json.Marshal(Hello{Protocol: Version, Build: a.build, PID: os.Getpid(), Client: d.Client, Dir: d.Dir})
	if err != nil {
		return nil, fmt.Errorf("encode hello: %w", err)
	}
	if err := c.SendAll(&Frame{Type: DoorHello, Payload: hello}, &Frame{Type: DoorAcquire, ID: 1, Payload: EncodeAcquire(class)}); err != nil {
		return nil, err
	}
	if _, err := welcomed(c, a); err != nil {
		return nil, err
	}
	// From here on the master answers; how soon depends on who else waits.
	if err := c.SetRecvTimeout(0); err != nil {
		return nil, fmt.Errorf("receive timeout: %w", err)
	}
	f, err := c.Recv()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMasterLost, err)
	}
	return granted(c, f)
}

// granted makes an errand of the master's answer.
func granted(door *Conn, f *Frame) (*Errand, error) {
	if f.Type == DoorRefused {
		return nil, refusal(f)
	}
	worker, err := DecodeWorker(f.Payload)
	if f.Type != DoorGranted || len(f.Files) != 1 || err != nil {
		f.CloseFiles()
		return nil, fmt.Errorf("%w: answer %d with %d descriptors to a request for a worker", ErrProtocol, f.Type, len(f.Files))
	}
	channel, err := NewConn(f.Files[0])
	if err != nil {
		unix.Close(f.Files[0])
		return nil, err
	}
	return &Errand{Door: door, Channel: channel, Worker: worker}, nil
}

// Run sends the command line; files, when r.HasFiles, stay the caller's.
func (e *Errand) Run(r *Run, files []int) error {
	if err := e.Channel.Send(&Frame{Type: ChRun, ID: 1, Payload: r.Encode(), Files: files}); err != nil {
		return fmt.Errorf("%w: %w", ErrWorkerLost, err)
	}
	return nil
}

// Wait waits until the command has ended. Output is for the descriptors that
// went along, and is lost without.
func (e *Errand) Wait() (*Ending, error) {
	for {
		f, err := e.Channel.Recv()
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrWorkerLost, err)
		}
		f.CloseFiles()
		switch f.Type {
		case ChOut, ChErr:
			continue
		}
		end, err := ending(f)
		if err != nil {
			return nil, fmt.Errorf("%w: end of a command: %v", ErrProtocol, err)
		}
		return end, nil
	}
}

// Cancel asks the worker to stop, Kill the master to see to it.
func (e *Errand) Cancel() { _ = e.Channel.Send(&Frame{Type: ChCancel, ID: 1}) }

// Kill has the master kill the worker, and hangs up.
func (e *Errand) Kill() {
	_ = e.Door.Send(&Frame{Type: DoorKill, Payload: EncodeWorker(e.Worker)})
	e.Channel.Shutdown()
}

// ending decodes a frame that ends a command.
func ending(f *Frame) (end *Ending, err error) {
	end = &Ending{}
	switch f.Type {
	case ChExit:
		end.Exit, err = DecodeExit(f.Payload)
	case ChResult:
		end.Result = f.Payload
	case ChUnsupported:
		end.Unsupported, err = DecodeFailure(f.Payload)
	case ChFailed:
		end.Failed, err = DecodeFailure(f.Payload)
	default:
		err = fmt.Errorf("unknown message %d", f.Type)
	}
	return end, err
}
