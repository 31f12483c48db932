// A small program of a user, type-checked against the installed package.
export {};
