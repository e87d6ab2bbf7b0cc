import { LineBudget } from './line-budget';

test('so many lines a second, and the next one says how many were left out', () => {
  jest.useFakeTimers({ now: 0, doNotFake: ['nextTick'] });
  try {
    const lines: string[] = [];
    const budget = new LineBudget();
    const write = (times: number) => Array.from({ length: times }, () => budget.write((left) => lines.push(`line${left}`)));
    write(8);
    expect(lines).toEqual(Array(5).fill('line'));
    jest.advanceTimersByTime(1000);
    write(2);
    expect(lines.slice(5)).toEqual(['line (3 lines like it left out)', 'line']);
  } finally {
    jest.useRealTimers();
  }
});
