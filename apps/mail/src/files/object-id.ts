const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Ids are made by us; but paths and keys are made of them, so nothing else may ever become one. */
export function checkObjectId(id: string): string {
  if (!UUID.test(id)) throw new Error('the id of an object is no UUID');
  return id;
}
