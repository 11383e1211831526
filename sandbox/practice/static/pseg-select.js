// Hides the accounts that do not match what is typed.
document.addEventListener('input', ({ target }) => {
  if (target.id !== 'findAccountInput') return;
  for (const account of document.querySelectorAll('.account')) account.hidden = !account.textContent.includes(target.value);
});
