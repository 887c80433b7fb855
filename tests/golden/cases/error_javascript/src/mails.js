import "@b-i-g-g-i-d-e-a/flowflare/mails";
import "missing-package";
export default {};
