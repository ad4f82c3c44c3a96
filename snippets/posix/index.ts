// The socket API of Linux for TypeScript programs: `import { socket, bind } from '#posix'`.

export * from './addresses.ts'
export * from './aio.ts'
export * from './calls.ts'
export * from './constants.ts'
export * from './errors.ts'
export * from './memory.ts'
export * from './names.ts'
export * from './options.ts'
export * from './processes.ts'
export * from './threads.ts'
export * from './uring.ts'
export * from './waiting.ts'
