// How many bytes are on their way while the first acknowledgement comes back.
// usage: node exercise-on-the-way.ts MBIT_PER_SECOND ROUND_TRIP_MS

const [speed, time] = process.argv.slice(2).map(Number)
if (!(speed! > 0 && time! > 0)) {
  console.error('usage: node exercise-on-the-way.ts MBIT_PER_SECOND ROUND_TRIP_MS')
  process.exit(2)
}

// #region product
const bytes = ((speed! * 1e6) / 8) * (time! / 1000)
console.log(`${bytes} bytes are on their way`)
// #endregion product
