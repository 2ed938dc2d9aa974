package powercut

import (
	"context"
	"fmt"
	"maps"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// mount shows a disk at dir until the server is unmounted.
func mount(d *disk, dir string) (*fuse.Server, error) {
	server, err := fs.Mount(dir, &root{disk: d}, &fs.Options{MountOptions: fuse.MountOptions{DirectMountStrict: true, FsName: "powercut"}})
	if err != nil {
		return nil, fmt.Errorf("powercut: mount: %w", err)
	}
	return server, nil
}

// root is the directory.
type root struct {
	fs.Inode
	disk *disk
}

// node is a file in it.
type node struct {
	fs.Inode
	disk *disk
	file *file
}

var (
	_ fs.NodeLookuper  = (*root)(nil)
	_ fs.NodeCreater   = (*root)(nil)
	_ fs.NodeUnlinker  = (*root)(nil)
	_ fs.NodeRenamer   = (*root)(nil)
	_ fs.NodeReaddirer = (*root)(nil)
	_ fs.NodeFsyncer   = (*root)(nil)
	_ fs.NodeOpener    = (*node)(nil)
	_ fs.NodeReader    = (*node)(nil)
	_ fs.NodeWriter    = (*node)(nil)
	_ fs.NodeFsyncer   = (*node)(nil)
	_ fs.NodeGetattrer = (*node)(nil)
	_ fs.NodeSetattrer = (*node)(nil)
)

func (r *root) node(ctx context.Context, f *file, out *fuse.EntryOut) *fs.Inode {
	out.Mode, out.Size = syscall.S_IFREG|0o600, uint64(len(f.live))
	return r.NewInode(ctx, &node{disk: r.disk, file: f}, fs.StableAttr{Mode: syscall.S_IFREG, Ino: f.inode})
}

func (r *root) Lookup(ctx context.Context, name string, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	r.disk.mu.Lock()
	defer r.disk.mu.Unlock()
	f := r.disk.names[name]
	if f == nil {
		return nil, syscall.ENOENT
	}
	return r.node(ctx, f, out), 0
}

func (r *root) Create(ctx context.Context, name string, _, _ uint32, out *fuse.EntryOut) (*fs.Inode, fs.FileHandle, uint32, syscall.Errno) {
	r.disk.mu.Lock()
	defer r.disk.mu.Unlock()
	f := r.disk.names[name]
	if f == nil {
		f = &file{inode: uint64(time.Now().UnixNano())}
		r.disk.names[name] = f
	}
	return r.node(ctx, f, out), nil, 0, 0
}

func (r *root) Unlink(_ context.Context, name string) syscall.Errno {
	r.disk.mu.Lock()
	defer r.disk.mu.Unlock()
	if f := r.disk.names[name]; f != nil {
		r.disk.used -= len(f.live)
	}
	delete(r.disk.names, name)
	return 0
}

func (r *root) Rename(_ context.Context, name string, _ fs.InodeEmbedder, to string, _ uint32) syscall.Errno {
	r.disk.mu.Lock()
	defer r.disk.mu.Unlock()
	r.disk.names[to] = r.disk.names[name]
	delete(r.disk.names, name)
	return 0
}

func (r *root) Readdir(context.Context) (fs.DirStream, syscall.Errno) {
	r.disk.mu.Lock()
	defer r.disk.mu.Unlock()
	var entries []fuse.DirEntry
	for name, f := range r.disk.names {
		entries = append(entries, fuse.DirEntry{Name: name, Mode: syscall.S_IFREG, Ino: f.inode})
	}
	return fs.NewListDirStream(entries), 0
}

// Fsync makes the names durable.
func (r *root) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno {
	r.disk.mu.Lock()
	defer r.disk.mu.Unlock()
	r.disk.durable = maps.Clone(r.disk.names)
	return 0
}

func (*node) Open(context.Context, uint32) (fs.FileHandle, uint32, syscall.Errno) { return nil, 0, 0 }

func (n *node) Read(_ context.Context, _ fs.FileHandle, dest []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	n.disk.mu.Lock()
	defer n.disk.mu.Unlock()
	if off >= int64(len(n.file.live)) {
		return fuse.ReadResultData(nil), 0
	}
	return fuse.ReadResultData(dest[:copy(dest, n.file.live[off:])]), 0
}

func (n *node) Write(_ context.Context, _ fs.FileHandle, data []byte, off int64) (uint32, syscall.Errno) {
	n.disk.mu.Lock()
	defer n.disk.mu.Unlock()
	if errno := n.change(change{int(off), append([]byte{}, data...)}, int(off)+len(data)-len(n.file.live)); errno != 0 {
		return 0, errno
	}
	return uint32(len(data)), 0
}

// change makes a change by which the file grows, if there is room.
func (n *node) change(c change, grows int) syscall.Errno {
	if grows = max(grows, -len(n.file.live)); grows > 0 || c.data == nil {
		if grows > 0 && n.disk.capacity > 0 && n.disk.used+grows > n.disk.capacity {
			return syscall.ENOSPC
		}
		n.disk.used += grows
	}
	n.file.live = c.apply(n.file.live)
	n.file.pending = append(n.file.pending, c)
	return 0
}

func (n *node) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno {
	time.Sleep(n.disk.delay)
	n.disk.mu.Lock()
	defer n.disk.mu.Unlock()
	n.disk.syncs++
	n.file.flush()
	return 0
}

func (n *node) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	n.disk.mu.Lock()
	defer n.disk.mu.Unlock()
	out.Mode, out.Size, out.Nlink = syscall.S_IFREG|0o600, uint64(len(n.file.live)), 1
	return 0
}

func (n *node) Setattr(_ context.Context, _ fs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	n.disk.mu.Lock()
	defer n.disk.mu.Unlock()
	if size, ok := in.GetSize(); ok {
		if errno := n.change(change{at: int(size)}, int(size)-len(n.file.live)); errno != 0 {
			return errno
		}
	}
	out.Mode, out.Size, out.Nlink = syscall.S_IFREG|0o600, uint64(len(n.file.live)), 1
	return 0
}
