// The relay of the fault suite draws from the same chance.
export { SeededRandom } from '#faults/seeded-random';
