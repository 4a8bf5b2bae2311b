//go:build !race

#include "textflag.h"

// func cloneChild(args *cloneArgs, size uintptr, c *daemon) (pid int, errno uintptr)
//
// The child begins on the stack that args name, so that the parent need not wait until it is done with ours.
TEXT ·cloneChild(SB),NOSPLIT,$16-40
	MOVQ	args+0(FP), DI
	MOVQ	size+8(FP), SI
	MOVQ	c+16(FP), R12
	MOVQ	$435, AX // clone3
	SYSCALL
	TESTQ	AX, AX
	JEQ	child
	CMPQ	AX, $0xfffffffffffff001
	JCC	failed
	MOVQ	AX, pid+24(FP)
	MOVQ	$0, errno+32(FP)
	RET
failed:
	NEGQ	AX
	MOVQ	$-1, pid+24(FP)
	MOVQ	AX, errno+32(FP)
	RET
child:
	MOVQ	R12, 0(SP)
	CALL	·becomeDaemon(SB)
	INT	$3
