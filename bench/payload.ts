/** What is stored, sent and encoded everywhere: an order of some 200 bytes. */
export interface Order {
  readonly id: string;
  readonly customer: string;
  readonly amount: number;
  readonly placedAt: number;
  readonly lines: readonly { readonly sku: string; readonly quantity: number; readonly price: number }[];
  readonly note: string;
}

/** What a handler gives for an order; of the same size. */
export interface Receipt {
  readonly order: Order;
  readonly paid: boolean;
}

export function orderOf(id: string): Order {
  return {
    id,
    customer: "customer:42",
    amount: 1999,
    placedAt: 1_700_000_000_123,
    lines: [
      { sku: "ABC-123", quantity: 2, price: 9.99 },
      { sku: "XYZ-9", quantity: 1, price: 3.5 },
    ],
    note: "leave at the door",
  };
}

export const ORDER: Order = orderOf("ord-000123");
export const ORDER_TEXT: string = JSON.stringify(ORDER);
export const ORDER_BYTES: Buffer = Buffer.from(ORDER_TEXT);
