// What a visit runs inside a page: question and answer are JSON. It reads; the one thing it does is to fetch an address.
async (roots, question) => {
  const ask = JSON.parse(question)
  const fold = (text) => (text || '').replace(/\s+/g, ' ').trim()
  const has = (text, part) => fold(text).toLowerCase().includes(part)
  const words = (el) => fold(el.innerText || el.getAttribute('aria-label') ||
    (/^(submit|button|reset)$/.test(el.type) ? el.value : '') || el.getAttribute('title') || el.getAttribute('alt'))

  // Further out than a scrolled list reaches; what is there was put out of sight on purpose.
  const farAway = -9000
  const shows = (el) => {
    if (el.tagName === 'OPTION') return shows(el.closest('select'))
    if (!el.checkVisibility({ opacityProperty: true, visibilityProperty: true })) return false
    const box = el.getBoundingClientRect()
    return box.width > 0 && box.height > 0 && box.right + scrollX > farAway && box.bottom + scrollY > farAway
  }
  // A radio button or box is often hidden behind its label; then the label is what a person presses.
  const labelOf = (el) => (/^(radio|checkbox)$/.test(el.type) && [...(el.labels || [])].find(shows)) || null
  const hit = (el) => shows(el) || labelOf(el) !== null
  const enabled = (el) => !el.disabled && el.getAttribute('aria-disabled') !== 'true' && !/(^|\s)disabled(\s|$)/.test(el.className)

  const matches = ({ css, says }) => [...document.querySelectorAll(css)]
    .filter((el) => hit(el) && (!says || has(words(el), says) || has(words(labelOf(el) || el), says)))
  const first = (target) => target.map(matches).find((found) => found.length > 0) || []
  const spot = (el, css) => {
    const label = shows(el) ? null : labelOf(el)
    const [where, what] = label ? ['label', label] : [css, el]
    return { css: where, nth: [...document.querySelectorAll(where)].indexOf(what), enabled: enabled(el), tag: el.tagName }
  }

  const look = ({ elements, texts }) => {
    const bad = []
    const seen = elements.map((element) => {
      try {
        const [el] = matches(element)
        return el ? spot(el, element.css) : null
      } catch {
        bad.push(element.css)
        return null
      }
    })
    const all = texts.length > 0 && document.body ? fold(document.body.innerText).toLowerCase() : ''
    const [entry] = performance.getEntriesByType('navigation')
    return {
      url: location.href,
      doc: String(performance.timeOrigin),
      status: (entry && entry.responseStatus) || 0,
      loaded: document.readyState !== 'loading' && !!document.body,
      seen,
      says: texts.map((text) => all.includes(text)),
      frames: [...document.querySelectorAll('iframe, frame')].flatMap((el, i) => (shows(el) ? [i] : [])),
      bad,
    }
  }

  const text = ({ target }) => first(target).map(words).find((t) => t !== '') || ''

  // The words around a field: those of its form.
  const around = ({ target }) => {
    const [el] = first(target)
    const form = el && el.closest('form, [role=dialog], section, main')
    return form ? fold(form.innerText).slice(0, 400) : ''
  }
  // The words that go with a field: its label, else the beginning of its form.
  const prompt = ({ target }) => {
    const [el] = first(target)
    if (!el) return ''
    const named = (el.getAttribute('aria-labelledby') || '').split(' ').filter(Boolean).map((id) => document.getElementById(id))
    const label = [...(el.labels || []), ...named].filter(Boolean).map((l) => fold(l.innerText)).find((t) => t !== '')
    return (label || around({ target }) || el.getAttribute('aria-label') || '').slice(0, 200)
  }

  const options = ({ target, targets }) => {
    const css = (target.find((element) => matches(element).length > 0) || { css: '' }).css
    return first(target).map((el) => {
      const value = el.getAttribute('value') || el.dataset.value || el.id || ''
      const near = labelOf(el) || (el.labels && el.labels[0]) || el
      const place = targets[value] ? first(targets[value])[0] : null
      return { value, label: words(near) || words(el), target: place ? words(place) : '', spot: spot(el, css) }
    })
  }

  const cell = (row, { css, header, attr }) => {
    let el = row
    if (header) {
      const heads = [...row.closest('table').querySelectorAll('thead th, thead td, tr:first-child th')]
      const wanted = header.toLowerCase()
      const exact = heads.findIndex((h) => fold(h.innerText).toLowerCase() === wanted)
      const i = exact < 0 ? heads.findIndex((h) => has(h.innerText, wanted)) : exact
      el = i < 0 ? null : row.cells[i]
    } else if (css) {
      el = row.matches(css) ? row : row.querySelector(css)
    }
    if (!el) return ''
    return attr ? fold(el.getAttribute(attr)) : fold(el.innerText) || (el.tagName === 'OPTION' ? fold(el.text) : '')
  }
  const rows = ({ target, columns }) => first(target).map((row) =>
    Object.fromEntries(Object.entries(columns).map(([name, column]) => [name, cell(row, column)])))

  const get = async ({ url, method, headers, body }) => {
    const answer = await fetch(url, { method, headers, body: body || undefined, credentials: 'include' })
    return { status: answer.status, body: await answer.text() }
  }

  const line = (el) => {
    const names = ['type', 'id', 'name', 'autocomplete', 'role', 'data-se'].filter((a) => el.getAttribute(a))
      .map((a) => ` ${a}=${el.getAttribute(a)}`)
    const field = /^(INPUT|SELECT|TEXTAREA)$/.test(el.tagName)
    return el.tagName.toLowerCase() + names.join('') + (shows(el) ? '' : ' (hidden)') + (field ? '' : ': ' + fold(el.innerText).slice(0, 80))
  }
  const outline = () => [...document.querySelectorAll(
    'h1, h2, h3, legend, label, input, select, textarea, button, a[href], iframe, form, table, [role=alert], [role=dialog], .error')]
    .slice(0, 200).map((el) => (/^(FORM|TABLE|IFRAME)$/.test(el.tagName) ? line(el).split(':')[0] : line(el))).join('\n')

  return JSON.stringify(await { look, text, around, prompt, options, rows, get, outline }[ask.do](ask))
}
