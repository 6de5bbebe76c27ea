// SPDX-License-Identifier: GPL-2.0-or-later

package protocol

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Errand is a worker for one command of a process that lives no longer: the way
// of Dialer, Door and Channel in fewer steps, by one thread. Its connections are
// the caller's alone, and end with the process.
type Errand struct {
	Door    *Conn // to the master
	Channel *Conn // to the worker; nil before Begin
	Worker  uint64

	to *address
}

// Errand asks a master that runs already for a worker; Begin takes the answer, and
// until then the caller may make its command ready. Hello and request go together:
// asking a stranger for a worker does no harm. After any error of either the long way
// may still lead somewhere.
func (d *Dialer) Errand(class Class) (*Errand, error) {
	a, err := d.address()
	if err != nil {
		return nil, err
	}
	hello := d.greeting(a)
	c, err := d.connect(a)
	if err != nil {
		return nil, err
	}
	if err := c.SendAll(hello, &Frame{Type: DoorAcquire, ID: 1, Payload: EncodeAcquire(class)}); err != nil {
		c.Close()
		return nil, err
	}
	return &Errand{Door: c, to: a}, nil
}

// Begin waits until a worker is there. After an error the errand is over.
func (e *Errand) Begin() error {
	err := e.begin()
	if err != nil {
		e.Door.Close()
	}
	return err
}

func (e *Errand) begin() error {
	if err := e.Door.SetRecvTimeout(welcomeLimit); err != nil {
		return fmt.Errorf("receive timeout: %w", err)
	}
	if _, err := welcomed(e.Door, e.to); err != nil {
		return err
	}
	// From here on the master answers; how soon depends on who else waits.
	if err := e.Door.SetRecvTimeout(0); err != nil {
		return fmt.Errorf("receive timeout: %w", err)
	}
	f, err := e.Door.Recv()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrMasterLost, err)
	}
	return e.granted(f)
}

// granted takes the master's answer.
func (e *Errand) granted(f *Frame) error {
	if f.Type == DoorRefused {
		return refusal(f)
	}
	worker, err := DecodeWorker(f.Payload)
	if f.Type != DoorGranted || len(f.Files) != 1 || err != nil {
		f.CloseFiles()
		return fmt.Errorf("%w: answer %d with %d descriptors to a request for a worker", ErrProtocol, f.Type, len(f.Files))
	}
	channel, err := NewConn(f.Files[0])
	if err != nil {
		unix.Close(f.Files[0])
		return err
	}
	e.Channel, e.Worker = channel, worker
	return nil
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
