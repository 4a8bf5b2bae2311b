package watch

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// telling are the file systems whose every change is made by this very kernel, and therefore told, by their magic number
// (statfs(2)). On any other, NFS, SMB, 9p and FUSE above all, another machine or process may change a file without a word.
var telling = map[uint32]bool{
	0x0000ef53: true, // ext2, ext3, ext4
	0x58465342: true, // xfs
	0x9123683e: true, // btrfs
	0x01021994: true, // tmpfs, devtmpfs
	0x858458f6: true, // ramfs
	0x2fc12fc1: true, // zfs
	0xf2f52010: true, // f2fs
	0xca451a4e: true, // bcachefs
	0x794c7630: true, // overlay, as long as nobody writes to its layers behind its back, which it forbids
	0x3153464a: true, // jfs
	0x52654973: true, // reiserfs
	0x00003434: true, // nilfs2
	0x24051905: true, // ubifs
	0x000072b6: true, // jffs2
	0x00004d44: true, // vfat
	0x2011bab0: true, // exfat
	0x7366746e: true, // ntfs3
	0x15013346: true, // udf
	0x00009660: true, // iso9660
	0x73717368: true, // squashfs
	0xe0f5e1e2: true, // erofs
}

var silentNames = map[uint32]string{
	0x00006969: "nfs", 0xff534d42: "cifs", 0xfe534d42: "smb", 0x0000517b: "smb", 0x65735546: "fuse", 0x01021997: "9p",
	0x5346414f: "afs", 0x00c36400: "ceph", 0x0bd00bd0: "lustre", 0x01161970: "gfs2", 0x7461636f: "ocfs2", 0x786f4256: "vboxsf",
}

// silent is why changes at path may not be told of, or nil. What is not there says nothing.
func silent(path string) error {
	var st unix.Statfs_t
	err := unix.Statfs(path, &st)
	for errors.Is(err, unix.EINTR) {
		err = unix.Statfs(path, &st)
	}
	if err != nil {
		return nil
	}
	magic := uint32(st.Type) // an int32, int64 or uint32, by the machine
	if telling[magic] {
		return nil
	}
	name := silentNames[magic]
	if name == "" {
		name = fmt.Sprintf("of type 0x%x", magic)
	}
	return fmt.Errorf("its file system, %s, does not tell of every change", name)
}
