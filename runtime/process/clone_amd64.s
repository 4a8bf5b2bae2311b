//go:build !race

#include "textflag.h"

// A child begins on the stack that args name, so that the parent need not wait until it is done with ours.

#define CLONE3(become) \
	MOVQ	args+0(FP), DI \
	MOVQ	size+8(FP), SI \
	MOVQ	given+16(FP), R12 \
	MOVQ	$435, AX \
	SYSCALL \
	TESTQ	AX, AX \
	JEQ	child \
	CMPQ	AX, $0xfffffffffffff001 \
	JCC	failed \
	MOVQ	AX, pid+24(FP) \
	MOVQ	$0, errno+32(FP) \
	RET \
failed: \
	NEGQ	AX \
	MOVQ	$-1, pid+24(FP) \
	MOVQ	AX, errno+32(FP) \
	RET \
child: \
	MOVQ	R12, 0(SP) \
	CALL	become(SB) \
	INT	$3

// func cloneChild(args *cloneArgs, size uintptr, given *daemon) (pid int, errno uintptr)
TEXT ·cloneChild(SB),NOSPLIT,$16-40
	CLONE3(·becomeDaemon)

// func cloneForker(args *cloneArgs, size uintptr, given *forking) (pid int, errno uintptr)
TEXT ·cloneForker(SB),NOSPLIT,$16-40
	CLONE3(·becomeForker)
