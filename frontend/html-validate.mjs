// Rules that 'make proof walk' holds the portal's pages against. Those that are off, and why:
export default {
  root: true,
  extends: ["html-validate:recommended"],
  rules: {
    "doctype-style": ["error", { style: "lowercase" }], // as the templates write it
    "aria-label-misuse": ["error", { allowAnyNamable: true }], // lists have names that say whose they are
    "no-trailing-whitespace": "off", // what template tags leave; browsers and people don't see it
    "tel-non-breaking": "off", // CSS keeps phone numbers on a line
    "autocomplete-password": "off", // a supplier's password is not the one a browser keeps for us
  },
};
