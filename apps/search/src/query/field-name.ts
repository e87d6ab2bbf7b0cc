import { builtInFields } from './query';

const FIELD_NAME = /^[A-Za-z0-9_.-]{1,128}$/;

export const isFieldName = (name: string): boolean => FIELD_NAME.test(name);

export const isBuiltInField = (name: string): boolean => (builtInFields as readonly string[]).includes(name);

export const fieldNameRule = 'must be named by 1 to 128 letters, digits and . _ -';
