export default async function removeTestPostgres(): Promise<void> {
  await globalThis.testPostgres?.remove();
}
