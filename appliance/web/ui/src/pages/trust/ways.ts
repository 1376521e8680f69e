export type System = "windows" | "macos" | "linux" | "firefox" | "android" | "ios";

interface Way {
  system: System;
  words: string;
  steps: readonly string[];
  /** A command that shows the fingerprint of what was downloaded. */
  check?: string;
}

const FILE = "pixelqueue-authority.crt";

export const WAYS: readonly Way[] = [
  {
    system: "windows",
    words: "Windows, for Chrome and Edge",
    steps: [
      `Open ${FILE} and choose Install Certificate, then Current User.`,
      "Choose Place all certificates in the following store, Browse, Trusted Root Certification Authorities.",
      "Finish. Windows shows a thumbprint (SHA-1) and asks whether you are sure: answer Yes.",
      "Close the browser and open the box again.",
    ],
    check: `certutil -dump ${FILE}`,
  },
  {
    system: "macos",
    words: "macOS, for Safari and Chrome",
    steps: [
      `Open ${FILE}: Keychain Access adds it to the login keychain.`,
      "Find PixelQueue under Certificates, open it, and compare the SHA-256 fingerprint at its end.",
      "Unfold Trust, set When using this certificate to Always Trust, and close the window with your password.",
    ],
    check: `openssl x509 -in ${FILE} -noout -fingerprint -sha256`,
  },
  {
    system: "linux",
    words: "Linux, for Chrome and Chromium",
    steps: [
      "Open chrome://certificate-manager, then Local certificates and Installed by you. Older ones: Settings, Privacy and security, Security, Manage certificates, Authorities.",
      `Import ${FILE} under Trusted Certificates, and trust it for identifying websites.`,
      "Open the box again.",
    ],
    check: `openssl x509 -in ${FILE} -noout -fingerprint -sha256`,
  },
  {
    system: "firefox",
    words: "Firefox, on any computer",
    steps: [
      "Open Settings, Privacy and Security, Certificates, View Certificates, Authorities.",
      `Import ${FILE}. View shows the SHA-256 fingerprint to compare.`,
      "Tick Trust this CA to identify websites.",
    ],
  },
  {
    system: "android",
    words: "Android",
    steps: [
      "Open Settings, Security and privacy, More security settings, Encryption and credentials, Install a certificate, CA certificate. The names differ a little between makers.",
      `Confirm the warning and choose ${FILE} among your downloads.`,
      "Chrome trusts it at once. Firefox needs: Settings, About Firefox, seven taps on the logo, back, Secret Settings, Use third party CA certificates.",
    ],
  },
  {
    system: "ios",
    words: "iPhone and iPad",
    steps: [
      "Download the authority in Safari and allow the profile.",
      "Open Settings, Profile Downloaded, Install. More Details shows the fingerprint to compare.",
      "Then Settings, General, About, Certificate Trust Settings: turn full trust on for PixelQueue. Without this step it is not trusted.",
    ],
  },
];

/** The system a browser says it runs on; an iPad calls itself a Mac that has a touch screen. */
export function systemOf(agent: string, touchPoints: number): System {
  if (/Android/.test(agent)) return "android";
  if (/iPhone|iPad|iPod/.test(agent) || (/Macintosh/.test(agent) && touchPoints > 1)) return "ios";
  if (/Firefox\//.test(agent)) return "firefox";
  if (/Windows/.test(agent)) return "windows";
  return /Macintosh/.test(agent) ? "macos" : "linux";
}
