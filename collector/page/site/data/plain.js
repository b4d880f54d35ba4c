/**
 * Text that looks like what it is: names come from outside and may hold marks that turn the text behind them round, or that nobody sees.
 * They are shown as dots, as a terminal has them.
 */
export const plain = text => (typeof text === 'string' ? text.replace(/(?!\n)\p{C}/gu, '·') : text)
