export function price(quantity) {
  return quantity * ;
}
