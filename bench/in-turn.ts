/** In order, and in every second round the other way round: a machine that drifts drifts for all of them. */
export const inTurn = <T>(list: readonly T[], round: number): readonly T[] => (round % 2 === 0 ? list : list.toReversed());
