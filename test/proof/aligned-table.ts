import type { Cell } from './round';

/** A table for the terminal, a line each. */
export function alignedTable(columns: readonly string[], rows: readonly (readonly Cell[])[]): string[] {
  const lines = [columns, ...rows].map((cells) => cells.map(String));
  const widths = columns.map((_, column) => Math.max(...lines.map((cells) => cells[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string => cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
  const [head = [], ...rest] = lines;
  return [head, widths.map((width) => '-'.repeat(width)), ...rest].map((cells) => line(cells).trimEnd());
}
