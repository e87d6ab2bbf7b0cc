import { transitions } from './recipient-states';

/** The table of changes for a join: `x(state, event, next)`. */
export const TRANSITIONS = `(values ${transitions.map((row) => `('${row.join("', '")}')`).join(', ')}) as x(state, event, next)`;
