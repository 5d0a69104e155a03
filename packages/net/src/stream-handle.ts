// SPDX-License-Identifier: MIT
// The one file that knows the stream handles below node:net. They are not public: whoever uses them tests them first and has
// node:net to fall back to.
import { type Server, Socket } from 'node:net'
import { getSystemErrorName } from 'node:util'

/** A write or shutdown on its way. */
export interface StreamRequest {
  oncomplete?: (this: this, status: number) => void
}

/** A TCP or Unix socket, or TLS over one. Methods give 0 or a negative error number. */
export interface StreamHandle {
  /** Called after each read; a returned buffer is what the next one goes to. How it went stands in {@link StreamBinding.state}. */
  onread: (this: StreamHandle) => Uint8Array | undefined
  readStart(): number
  readStop(): number
  /** The handle does not keep it alive. */
  useUserBuffer(memory: Uint8Array): void
  writeBuffer(request: StreamRequest, bytes: Uint8Array): number
  writeLatin1String(request: StreamRequest, text: string): number
  shutdown(request: StreamRequest): number
  close(closed?: () => void): void
}

/** What only TCP has. */
export interface TcpHandle extends StreamHandle {
  reset(closed: () => void): number
  setNoDelay(on: boolean): number
  getpeername(into: SocketName): number
  getsockname(into: SocketName): number
  connect(request: ConnectRequest, address: string, port: number): number
  connect6(request: ConnectRequest, address: string, port: number): number
}

export interface SocketName {
  address?: string
  port?: number
}

interface ConnectRequest {
  oncomplete?: (status: number) => void
}

export interface StreamBinding {
  /** Of the last call: how many octets came or the error, how many were written, and whether a write goes on. */
  readonly state: Int32Array
  readonly readResult: number
  readonly bytesWritten: number
  readonly writeGoesOn: number
  readonly WriteRequest: new () => StreamRequest
  readonly ShutdownRequest: new () => StreamRequest
  readonly ConnectRequest: new () => ConnectRequest
  newTcp(): TcpHandle
}

export const EOF = -4095

interface Internal {
  binding?(name: string): Record<string, unknown>
}

/** The handles of this Node, or undefined when it does not give them. */
export function streamBinding(): StreamBinding | undefined {
  const { noDeprecation } = process
  // Whoever asks Node for its deprecations knows of this one: it is tested at each start, and there is a way without it.
  process.noDeprecation = true
  try {
    const binding = (process as Internal).binding?.bind(process)
    if (binding === undefined) return undefined
    const [stream, tcp] = [binding('stream_wrap'), binding('tcp_wrap')]
    return bindingOf(stream, tcp)
  } catch {
    return undefined
  } finally {
    process.noDeprecation = noDeprecation ?? false
  }
}

function bindingOf(stream: Record<string, unknown>, tcp: Record<string, unknown>): StreamBinding | undefined {
  const { streamBaseState: state, kReadBytesOrError, kBytesWritten, kLastWriteWasAsync } = stream
  const { WriteWrap, ShutdownWrap } = stream
  const { TCP, TCPConnectWrap, constants } = tcp
  const classes = [WriteWrap, ShutdownWrap, TCP, TCPConnectWrap]
  const indexes = [kReadBytesOrError, kBytesWritten, kLastWriteWasAsync]
  if (!(state instanceof Int32Array) || !classes.every((each) => typeof each === 'function')) return undefined
  if (!indexes.every((each) => typeof each === 'number')) return undefined
  const Handle = TCP as new (kind: number) => TcpHandle
  const kind = (constants as { readonly SOCKET: number }).SOCKET
  return {
    state,
    readResult: kReadBytesOrError as number,
    bytesWritten: kBytesWritten as number,
    writeGoesOn: kLastWriteWasAsync as number,
    WriteRequest: WriteWrap as StreamBinding['WriteRequest'],
    ShutdownRequest: ShutdownWrap as StreamBinding['ShutdownRequest'],
    ConnectRequest: TCPConnectWrap as StreamBinding['ConnectRequest'],
    newTcp: () => new Handle(kind),
  }
}

/** The handle of a connected socket. */
export function handleOf(socket: Socket): StreamHandle | undefined {
  const { _handle: handle } = socket as unknown as { readonly _handle?: StreamHandle | null }
  return handle ?? undefined
}

/**
 * The peer's reset has come. Whoever has stopped reading is not told of one: an error is found by the next read or write. False
 * for a Unix socket, and for a Node that does not tell.
 */
export function isReset(socket: Socket): boolean {
  const handle = handleOf(socket)
  return handle !== undefined && isTcp(handle) && handle.getpeername({}) < 0
}

/** Takes the connections of a listening server before it makes sockets of them. False: it has no such handle. */
export function acceptHandles(server: Server, accept: (handle: StreamHandle) => void): boolean {
  const { _handle: handle } = server as unknown as {
    readonly _handle?: { onconnection?: (status: number, client?: StreamHandle) => void } | null
  }
  if (typeof handle?.onconnection !== 'function') return false
  handle.onconnection = (_status, client) => {
    // Without one the accept failed, for want of descriptors; the next may do better.
    if (client !== undefined) accept(client)
  }
  return true
}

export function isTcp(handle: StreamHandle): handle is TcpHandle {
  return 'getpeername' in handle
}

const NOTHING = Buffer.alloc(0)

const SOCKET = Symbol('socket')
interface Passing extends StreamHandle {
  [SOCKET]?: { readonly socket: Socket; readonly memory: Buffer; readonly binding: StreamBinding }
  reading?: boolean
}

/** Reads for a Node socket what goes to memory of ours. */
function onPassing(this: Passing): undefined {
  const passing = this[SOCKET]
  if (passing === undefined) return
  const { socket, memory, binding } = passing
  const length = binding.state[binding.readResult] ?? 0
  if (length > 0) {
    if (socket.push(Buffer.from(memory.subarray(0, length)))) return
    this.reading = false
    this.readStop()
  } else if (length === EOF) {
    socket.push(null)
    socket.read(0)
  } else if (length < 0) socket.destroy(systemError('read', length))
}

/**
 * Gives a handle back to node:net: its socket (a new one when it has none), paused, with `front` before what is yet to come. The
 * handle goes on reading into `memory`.
 */
export function giveBack(
  handle: StreamHandle,
  {
    front,
    memory,
    binding,
    socket,
  }: {
    readonly front: readonly Buffer[]
    readonly memory: Buffer
    readonly binding: StreamBinding
    readonly socket: Socket | undefined
  },
): Socket {
  const options = { handle, allowHalfOpen: true, manualStart: true }
  const given = socket ?? new Socket(options as ConstructorParameters<typeof Socket>[0])
  const passing: Passing = handle
  passing[SOCKET] = { socket: given, memory, binding }
  passing.reading = false
  passing.onread = onPassing
  given.pause()
  for (const bytes of front) given.push(bytes)
  // The socket still waits for what it had asked the handle for before that was taken from it; now it may ask again.
  given.push(NOTHING)
  return given
}

/** As node:net words it. */
export function systemError(call: string, status: number): Error {
  const code = getSystemErrorName(status)
  return Object.assign(new Error(`${call} ${code}`), { code, errno: status, syscall: call })
}
