package control

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// attached is a client that is attached to a fake.
func attached(t *testing.T, f *fake, how Attach) *Attached {
	t.Helper()
	f.attached = newFakeAttachment()
	a, err := NewClient(serve(t, f, nil)).Attach(t.Context(), "foo", "to see", how)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

func next(t *testing.T, a *Attached) (written, note string) {
	t.Helper()
	data, note, err := a.Next()
	if err != nil {
		t.Fatal(err)
	}
	return string(data), note
}

func TestAttachCarriesAll(t *testing.T) {
	t.Parallel()
	f := newFake()
	a := attached(t, f, Attach{Columns: 80, Rows: 24})
	if got := f.attached.how; got != (Attach{Columns: 80, Rows: 24}) || f.callers[0].Why != "to see" {
		t.Errorf("the supervisor was told %+v, %+v", got, f.callers)
	}
	f.attached.say <- "hello"
	if written, _ := next(t, a); written != "hello" {
		t.Errorf("%q was written", written)
	}
	if _, err := a.Write([]byte("abc")); err != nil {
		t.Fatal(err)
	}
	if written, _ := next(t, a); written != "typed abc" {
		t.Errorf("%q was typed", written)
	}
	if err := a.Resize(132, 43); err != nil {
		t.Fatal(err)
	}
	if _, note := next(t, a); note != "132 by 43" {
		t.Errorf("the size is %q", note)
	}
	long := strings.Repeat("0123456789", MostFrame/5)
	f.attached.say <- long
	var got string
	for len(got) < len(long) {
		written, _ := next(t, a)
		got += written
	}
	if got != long {
		t.Error("what takes two frames came as something else")
	}
	close(f.attached.say)
	if _, _, err := a.Next(); err != io.EOF {
		t.Errorf("it ended with %v", err)
	}
}

func TestDetachIsSeen(t *testing.T) {
	t.Parallel()
	f := newFake()
	a := attached(t, f, Attach{})
	a.Close()
	<-f.attached.closed
}

func TestWhoMayLookOnlyIsCutOffWhenTyping(t *testing.T) {
	t.Parallel()
	f := newFake()
	a := attached(t, f, Attach{ReadOnly: true})
	a.Write([]byte("x"))
	<-f.attached.closed
}

func TestAttachIsRefused(t *testing.T) {
	t.Parallel()
	f := newFake()
	path := serve(t, f, nil)
	_, err := NewClient(path).Attach(t.Context(), "foo", "", Attach{})
	var e *Error
	if !errors.As(err, &e) || e.Code != Refused || e.Hint != "give it one" {
		t.Errorf("it was answered %v", err)
	}
	conn, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "POST /v1/services/foo/attach HTTP/1.1\r\nHost: recipe\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}")
	answer, err := io.ReadAll(conn)
	if err != nil || !bytes.HasPrefix(answer, []byte("HTTP/1.1 400 ")) {
		t.Errorf("a request without an upgrade is answered %q, %v", answer, err)
	}
}

// Those who are attached take no place from requests, and are bounded in number.
func TestAttachmentsLeaveRoomForRequests(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.attached = newFakeAttachment()
	c := NewClient(serve(t, f, func(l *Listener) { l.slots = make(chan struct{}, 1) }))
	for range mostAttached {
		a, err := c.Attach(t.Context(), "foo", "", Attach{})
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
	}
	if _, err := c.Attach(t.Context(), "foo", "", Attach{}); err == nil || !strings.Contains(err.Error(), "the most") {
		t.Errorf("one more is answered %v", err)
	}
	if _, err := c.Status(t.Context()); err != nil {
		t.Error(err)
	}
}

// A client that neither reads nor goes keeps a supervisor from its end for a second at most.
func TestStuckClientsDoNotKeepASupervisor(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.attached = newFakeAttachment()
	f.attached.say = make(chan string)
	l, err := Listen(t.Context(), t.TempDir()+"/foo.sock", Groups{})
	if err != nil {
		t.Fatal(err)
	}
	l.bounds.closing = 50 * time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- l.Serve(ctx, f) }()
	a, err := NewClient(l.Path()).Attach(ctx, "foo", "", Attach{})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	full := time.NewTimer(0)
	for stuck := false; !stuck; { // until nothing more is taken
		full.Reset(200 * time.Millisecond)
		select {
		case f.attached.say <- strings.Repeat("x", MostFrame):
		case <-full.C:
			stuck = true
		}
	}
	cancel()
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func FuzzReadFrame(f *testing.F) {
	f.Add(AppendFrame(AppendFrame(nil, Written, []byte("abc")), Resized, sizeData(80, 24)))
	f.Add([]byte("w\xff\xff"))
	f.Fuzz(func(t *testing.T, sent []byte) {
		r := bytes.NewReader(sent)
		buffer := make([]byte, MostFrame)
		var again []byte
		for {
			frame, err := ReadFrame(r, buffer)
			if err != nil {
				break
			}
			if frame.Kind == Resized {
				frame.size()
			}
			again = AppendFrame(again, frame.Kind, frame.Data)
		}
		if !bytes.HasPrefix(sent, again) {
			t.Errorf("%q was read as %q", sent, again)
		}
	})
}
