// What a run calls inside a page: argument and result are JSON. It reads; the one thing it does is to fetch an address.
async (roots, argument) => {
  const call = JSON.parse(argument)
  const fold = (text) => (text || '').replace(/\s+/g, ' ').trim()
  const lower = (text) => fold(text).toLowerCase()
  const has = (text, part) => lower(text).includes(lower(part))
  const textOf = (el) => fold(el.innerText || el.getAttribute('aria-label') ||
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
    .filter((el) => hit(el) && (!says || has(textOf(el), says) || has(textOf(labelOf(el) || el), says)))
  const first = (target) => target.map(matches).find((found) => found.length > 0) || []
  const locate = (el, css) => {
    const label = shows(el) ? null : labelOf(el)
    const [where, what] = label ? ['label', label] : [css, el]
    return { css: where, nth: [...document.querySelectorAll(where)].indexOf(what), enabled: enabled(el), tag: el.tagName }
  }

  const look = ({ elements, texts }) => {
    const invalid = []
    const visible = elements.map((element) => {
      try {
        const [el] = matches(element)
        return el ? locate(el, element.css) : null
      } catch {
        invalid.push(element.css)
        return null
      }
    })
    const all = texts.length > 0 && document.body ? lower(document.body.innerText) : ''
    const [entry] = performance.getEntriesByType('navigation')
    return {
      url: location.href,
      document: String(performance.timeOrigin),
      status: (entry && entry.responseStatus) || 0,
      loaded: document.readyState !== 'loading' && !!document.body,
      visible,
      texts: texts.map((text) => all.includes(lower(text))),
      frames: [...document.querySelectorAll('iframe, frame')].flatMap((el, i) => (shows(el) ? [i] : [])),
      invalid,
    }
  }

  const text = ({ target }) => first(target).map(textOf).find((t) => t !== '') || ''

  // The text around a field: that of its form.
  const around = ({ target }) => {
    const [el] = first(target)
    const form = el && el.closest('form, [role=dialog], section, main')
    return form ? fold(form.innerText).slice(0, 400) : ''
  }
  // The text that goes with a field: its label, else the beginning of its form.
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
      return { value, label: textOf(near) || textOf(el), target: place ? textOf(place) : '', location: locate(el, css) }
    })
  }

  const cell = (row, { css, header, attr }) => {
    let el = row
    if (header) {
      const heads = [...row.closest('table').querySelectorAll('thead th, thead td, tr:first-child th')]
      const wanted = lower(header)
      const exact = heads.findIndex((h) => lower(h.innerText) === wanted)
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
    const response = await fetch(url, { method, headers, body: body || undefined, credentials: 'include' })
    return { status: response.status, body: await response.text() }
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

  return JSON.stringify(await { look, text, around, prompt, options, rows, get, outline }[call.do](call))
}
