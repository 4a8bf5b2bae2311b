package plan

import (
	"fmt"
	"slices"
)

// Limits bound one incarnation. Absent is as the host has it. Memory, CPU and PIDs are of the whole tree, and need a host
// whose cgroup has the controller. The others are of the daemon, which hands them on to what it starts; each is both
// the soft and the hard limit. Capabilities are those of root's that the daemon may have, by the kernel's names in small
// letters without CAP_: an account is given them, and all others are taken for good. Not called by root, nothing is.
type Limits struct {
	NoFile       int64     `json:"nofile,omitempty"` // open descriptors
	NProc        int64     `json:"nproc,omitempty"`  // processes and threads of the user on the whole host; does not bind root
	Core         *Size     `json:"core,omitempty"`   // of a core dump; 0 is none
	Stack        Size      `json:"stack,omitempty"`
	FSize        Size      `json:"fsize,omitempty"` // of a file that is written
	MemLock      *Size     `json:"memlock,omitempty"`
	Memory       Size      `json:"memory,omitempty"`
	CPU          int       `json:"cpu_percent,omitempty"` // of one CPU: 150 is one and a half
	PIDs         int64     `json:"pids,omitempty"`        // processes and threads
	Nice         *int      `json:"nice,omitempty"`
	IONice       string    `json:"ionice,omitempty"` // realtime, best-effort, idle
	IOLevel      *int      `json:"ionice_level,omitempty"`
	OOMScoreAdj  *int      `json:"oom_score_adj,omitempty"`
	Capabilities *[]string `json:"capabilities,omitempty"`
	NoNewPrivs   bool      `json:"no_new_privs,omitempty"`
}

// IOClasses are the kernel's, with their numbers in IOPRIO_CLASS_*.
func IOClasses() []string { return []string{"", "realtime", "best-effort", "idle"} }

// CapabilityNames are the kernel's, each at its number.
func CapabilityNames() []string {
	return []string{
		"chown", "dac_override", "dac_read_search", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap", "linux_immutable",
		"net_bind_service", "net_broadcast", "net_admin", "net_raw", "ipc_lock", "ipc_owner", "sys_module", "sys_rawio", "sys_chroot",
		"sys_ptrace", "sys_pacct", "sys_admin", "sys_boot", "sys_nice", "sys_resource", "sys_time", "sys_tty_config", "mknod", "lease",
		"audit_write", "audit_control", "setfcap", "mac_override", "mac_admin", "syslog", "wake_alarm", "block_suspend", "audit_read",
		"perfmon", "bpf", "checkpoint_restore",
	}
}

func (c *checker) limits(at string, l Limits) {
	count := func(name string, n, low int64) {
		if n != 0 {
			c.between(at+"."+name, n, low, 1<<30, showInt)
		}
	}
	count("nofile", l.NoFile, 16)
	count("nproc", l.NProc, 1)
	count("pids", l.PIDs, 1)
	count("cpu_percent", int64(l.CPU), 1)
	if l.Core != nil {
		c.blocks(at+".core", *l.Core, 0)
	}
	if l.MemLock != nil {
		c.blocks(at+".memlock", *l.MemLock, 0)
	}
	if l.Stack != 0 {
		c.blocks(at+".stack", l.Stack, 128<<10) // less, and a program's own arguments would not fit
	}
	if l.FSize != 0 {
		c.blocks(at+".fsize", l.FSize, 1<<10)
	}
	if l.Memory != 0 {
		c.between(at+".memory", int64(l.Memory), 1<<20, largest, showSize)
	}
	number := func(name string, n *int, low, high int64) {
		if n != nil {
			c.between(at+"."+name, int64(*n), low, high, showInt)
		}
	}
	number("oom_score_adj", l.OOMScoreAdj, -1000, 1000)
	number("nice", l.Nice, -20, 19)
	number("ionice_level", l.IOLevel, 0, 7)
	if l.IONice != "" {
		c.choice(at+".ionice", "class of input and output", l.IONice, IOClasses()[1:]...)
	}
	if l.IOLevel != nil && (l.IONice == "" || l.IONice == "idle") {
		c.report(Problem{Path: at + ".ionice_level", Code: CodeKind, Message: "only the classes realtime and best-effort have levels", Found: fmt.Sprint(*l.IOLevel), Hint: `ionice = "best-effort"`})
	}
	c.capabilities(at+".capabilities", l.Capabilities)
}

// blocks wants whole KiB, which is what ulimit counts in.
func (c *checker) blocks(path string, size Size, low int64) {
	if int64(size) < low || size > largest {
		c.between(path, int64(size), low, largest, showSize)
	} else if size%1024 != 0 {
		c.report(Problem{Path: path, Code: CodeRange, Message: "the size is not a whole number of KiB", Found: size.String(), Accepted: "KiB, MiB, GiB or TiB"})
	}
}

func (c *checker) capabilities(at string, list *[]string) {
	if list == nil {
		return
	}
	seen := map[string]string{}
	for i, name := range *list {
		path := fmt.Sprintf("%s[%d]", at, i)
		if !slices.Contains(CapabilityNames(), name) {
			c.report(Problem{Path: path, Code: CodeChoice, Message: "there is no such capability", Found: fmt.Sprintf("%q", name),
				Accepted: "the kernel's names in small letters without CAP_", Hint: Nearest(name, CapabilityNames())})
		}
		c.unique(path, "capability", name, seen)
	}
}
