/**
 * A filter of system calls for the sandbox: what no function needs, and what would give it memory or ways that nothing else
 * here counts. A classic BPF program, as seccomp(2) reads it; bubblewrap loads it before it begins the command.
 */
import { existsSync } from 'node:fs'

const EPERM = 1
const ENOSYS = 38

interface Call {
  readonly x64: number
  readonly arm64: number
  /** What it fails with. `ENOSYS` where programs know how to do without. */
  readonly errno?: number
}

/** Numbers from 424 on are the same everywhere. */
const call = (x64: number, arm64 = x64, errno?: number): Call => ({ x64, arm64, ...(errno !== undefined && { errno }) })

/** Source: arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h of Linux. */
// biome-ignore format: a table is read in columns
const DENIED: Readonly<Record<string, Call>> = {
  // Memory of no process and no file system that counts.
  memfd_create:      call(319, 279, ENOSYS),
  memfd_secret:      call(447, 447, ENOSYS),
  // Other processes, and the kernel itself.
  ptrace:            call(101, 117),
  process_vm_readv:  call(310, 270),
  process_vm_writev: call(311, 271),
  bpf:               call(321, 280),
  perf_event_open:   call(298, 241),
  userfaultfd:       call(323, 282),
  io_uring_setup:    call(425, 425, ENOSYS),
  io_uring_enter:    call(426, 426, ENOSYS),
  io_uring_register: call(427, 427, ENOSYS),
  syslog:            call(103, 116),
  init_module:       call(175, 105),
  finit_module:      call(313, 273),
  delete_module:     call(176, 106),
  kexec_load:        call(246, 104),
  kexec_file_load:   call(320, 294),
  reboot:            call(169, 142),
  // Keyrings are of the user, outside as inside.
  add_key:           call(248, 217),
  request_key:       call(249, 218),
  keyctl:            call(250, 219),
  // Mounts and namespaces.
  mount:             call(165, 40),
  umount2:           call(166, 39),
  pivot_root:        call(155, 41),
  setns:             call(308, 268),
  open_tree:         call(428),
  move_mount:        call(429),
  fsopen:            call(430),
  fsconfig:          call(431),
  fsmount:           call(432),
  fspick:            call(433),
  mount_setattr:     call(442),
  name_to_handle_at: call(303, 264),
  open_by_handle_at: call(304, 265),
  fanotify_init:     call(300, 262),
  swapon:            call(167, 224),
  swapoff:           call(168, 225),
  acct:              call(163, 89),
  quotactl:          call(179, 60),
  quotactl_fd:       call(443),
}

const ARCHITECTURES = {
  x64: { audit: 0xc000003e, x32: 0x40000000 },
  arm64: { audit: 0xc00000b7, x32: undefined },
} as const

const LOAD = 0x20
const JUMP_EQUAL = 0x15
const JUMP_AT_LEAST = 0x35
const RETURN = 0x06
const ALLOW = 0x7fff0000
const ERRNO = 0x00050000
/** In `struct seccomp_data`. */
const NUMBER_AT = 0
const ARCHITECTURE_AT = 4

type Instruction = readonly [code: number, jumpTrue: number, jumpFalse: number, value: number]

const isKnown = (arch: string): arch is keyof typeof ARCHITECTURES => Object.hasOwn(ARCHITECTURES, arch)

/** undefined where the kernel has no filters, or its calls other numbers. */
export function seccompFilter(arch: string = process.arch): Buffer | undefined {
  if (!isKnown(arch) || !existsSync('/proc/sys/kernel/seccomp')) return undefined
  const { audit, x32 } = ARCHITECTURES[arch]
  const program: Instruction[] = [
    [LOAD, 0, 0, ARCHITECTURE_AT],
    // Another architecture has other numbers.
    [JUMP_EQUAL, 1, 0, audit],
    [RETURN, 0, 0, ERRNO | EPERM],
    [LOAD, 0, 0, NUMBER_AT],
  ]
  if (x32 !== undefined) program.push([JUMP_AT_LEAST, 0, 1, x32], [RETURN, 0, 0, ERRNO | ENOSYS])
  for (const { [arch]: number, errno = EPERM } of Object.values(DENIED)) {
    program.push([JUMP_EQUAL, 0, 1, number], [RETURN, 0, 0, ERRNO | errno])
  }
  program.push([RETURN, 0, 0, ALLOW])
  return encoded(program)
}

/** `struct sock_filter`, in the machine's order of bytes, which is little-endian on both. */
function encoded(program: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * 8)
  for (const [i, [code, jumpTrue, jumpFalse, value]] of program.entries()) {
    bytes.writeUInt16LE(code, i * 8)
    bytes.writeUInt8(jumpTrue, i * 8 + 2)
    bytes.writeUInt8(jumpFalse, i * 8 + 3)
    bytes.writeUInt32LE(value, i * 8 + 4)
  }
  return bytes
}
