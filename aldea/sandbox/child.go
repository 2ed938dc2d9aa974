package sandbox

import (
	"context"
	"os/exec"
	"time"
)

// childGrace is how long the output of a killed program may be held open by something it started.
const childGrace = 2 * time.Second

// child prepares a program that works for one stream. It is apart from the terminal and from our process group: a
// Ctrl-C or a signal to the group ends this server first, which then still wants the child's last words.
//
// A child ends when its context does, and when its standard input ends; so it does not outlive this process
// either, however that ends: the kernel closes the pipe.
func child(ctx context.Context, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.WaitDelay = childGrace
	cmd.SysProcAttr = apart()
	return cmd
}
