// Wrong on purpose: makes room for as much as the other side says that it will send.

const announced = Buffer.from('40000000', 'hex') // all that has come

const before = process.memoryUsage().arrayBuffers
const message = Buffer.alloc(announced.readUInt32BE())
const after = process.memoryUsage().arrayBuffers
if (after - before >= message.length) {
  console.log(`${announced.length} bytes received, room for ${message.length} made`)
}
