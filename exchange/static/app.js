/* app.js - enhancement only; every page works without it. */
const $ = (s, r = document) => r.querySelector(s), $$ = (s, r = document) => [...r.querySelectorAll(s)];

/* theme: dark.css is a link with a media condition; the button overrides it on this device */
$('[data-theme-toggle]')?.addEventListener('click', () => {
  const link = $('#dark'), to = matchMedia(link.media).matches ? 'light' : 'dark';
  link.media = to === 'dark' ? 'screen' : 'not all';
  document.cookie = `theme=${to};path=/;max-age=31536000;samesite=lax`;
});

/* deadlines also in the reader's own zone, where the page does not say it already */
$$('[data-local]').forEach(t => {
  const at = new Date(t.dataset.local), lang = document.documentElement.lang;
  const clock = new Intl.DateTimeFormat(lang === 'en' ? 'en-GB' : lang, { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' }).format(at);
  t.title = Intl.DateTimeFormat().resolvedOptions().timeZone;
  t.textContent = t.dataset.says.replace('%s', clock);
});

/* move focus to the error summary on load */
$('#errors')?.focus();

/* a form is sent once: the button locks, the idempotency key does the rest */
$$('form[data-once]').forEach(f => f.addEventListener('submit', e => {
  if (f.dataset.sent) { e.preventDefault(); return; }
  f.dataset.sent = '1';
}));
addEventListener('pageshow', () => $$('form[data-once]').forEach(f => delete f.dataset.sent));

/* words of a long text, counted while typing */
$$('[data-words]').forEach(note => {
  const box = document.getElementById(note.dataset.words); if (!box) return;
  const count = () => {
    const cjk = box.value.match(/[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]/g) || [];
    const rest = box.value.replace(/[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]/g, ' ').trim();
    note.textContent = note.dataset.says.replace('%s', cjk.length + (rest ? rest.split(/\s+/).length : 0));
  };
  box.addEventListener('input', count); count();
});

/* a long text is saved while it is written; a file only by the button */
$$('form[data-autosave]').forEach(f => {
  let timer = 0, busy = false;
  const save = async () => {
    if (busy || f.dataset.sent) return;
    busy = true;
    const data = new FormData(f); data.delete('file'); data.set('autosave', '1');
    try {
      const answer = await fetch(location.href, { method: 'POST', body: data }), said = await answer.json();
      if (answer.ok && said.is_saved) {
        f.elements.version.value = said.version;
        const note = $('[data-saved]', f);
        note.textContent = note.dataset.says.replace('%s', new Date().toTimeString().slice(0, 5)); note.className = 'saved';
      }
    } catch { /* offline: the button will say so */ }
    busy = false;
  };
  f.addEventListener('input', e => { if (e.target.type !== 'file') { clearTimeout(timer); timer = setTimeout(save, 3000); } });
  f.addEventListener('submit', e => {
    clearTimeout(timer);
    if (!busy) { f.dataset.sent = '1'; return; }
    e.preventDefault();  // what is being saved has a newer version when it is through
    const again = () => busy ? setTimeout(again, 50) : f.requestSubmit(e.submitter); again();
  });
});

/* review: weighted total, number keys */
$$('[data-score]').forEach(f => {
  const total = () => {
    let s = 0, w = 0;
    $$('.seg', f).forEach(g => { const c = $(':checked', g); if (c && c.value !== 'na') { s += c.value * g.dataset.w; w += +g.dataset.w; } });
    $('[data-total]', f).textContent = w ? (s / w).toFixed(2) : '–';
  };
  f.addEventListener('change', total); total();
  f.addEventListener('keydown', e => {
    const g = e.target.closest('.seg'); if (!g || !/^\d$/.test(e.key)) return;
    const i = $(`[value="${e.key}"]`, g); i.checked = true; i.focus(); total();
  });
});

/* list keys: j k Enter n / (single keys only when no field has focus; can be switched off) */
const list = $('[data-keys]');
if (list) {
  const rows = $$('tbody tr', list); let i = 0;
  const go = n => { rows[i]?.classList.remove('cur'); i = Math.max(0, Math.min(rows.length - 1, i + n)); rows[i]?.classList.add('cur'); $('a', rows[i])?.focus(); };
  const onoff = $('#keys input[type=checkbox]'); let on = true;
  try { on = localStorage.keys !== 'off'; } catch { /* private mode */ }
  if (onoff) { onoff.checked = on; onoff.addEventListener('change', () => { on = onoff.checked; try { localStorage.keys = on ? 'on' : 'off'; } catch { /* private mode */ } }); }
  addEventListener('keydown', e => {
    if ((!on && e.key !== '?') || e.target.closest('input,textarea,select,dialog') || e.ctrlKey || e.metaKey || e.altKey) return;
    if (e.key === 'j') go(1); else if (e.key === 'k') go(-1);
    else if (e.key === 'n' && list.dataset.next) location = list.dataset.next;
    else if (e.key === '/') { e.preventDefault(); $('#q')?.focus(); } else if (e.key === '?') $('#keys')?.showModal();
  });
}

/* choose all rows of a page */
$('[data-pick-all]')?.addEventListener('change', e => $$('input[name=pick]').forEach(box => { box.checked = e.target.checked; }));
