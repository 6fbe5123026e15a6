"use strict";
(() => {
  const PAGE = 24;
  const byId = (id) => document.getElementById(id);
  const all = document.querySelectorAll.bind(document);

  function make(tag, className, text) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  }

  function save(name, text, type) {
    const link = make("a");
    link.href = URL.createObjectURL(new Blob([text], { type }));
    link.download = name;
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  // What a person has rejected outlives paging, filters and, where the browser allows it, a reload.
  class Marks {
    constructor(key, known) {
      this.key = `genaug-rejected-${key}`;
      this.names = new Set(this.stored().filter((name) => known.has(name)));
    }
    stored() {
      try {
        const names = JSON.parse(sessionStorage.getItem(this.key) || "[]");
        return Array.isArray(names) ? names : [];
      } catch {
        return [];
      }
    }
    toggle(name) {
      if (!this.names.delete(name)) this.names.add(name);
      try {
        sessionStorage.setItem(this.key, JSON.stringify([...this.names]));
      } catch {
        // no storage for this page: the marks live as long as it does
      }
    }
  }

  function lowest(item) {
    const values = Object.values(item.scores);
    return values.length ? Math.min(...values) : null;
  }

  const ORDERS = {
    worst: (score) => (a, b) => (score(a) ?? 2) - (score(b) ?? 2),
    best: (score) => (a, b) => (score(b) ?? -1) - (score(a) ?? -1),
    near: () => (a, b) => (a.nearest ? a.nearest.distance : 3) - (b.nearest ? b.nearest.distance : 3),
    name: () => () => 0,
  };

  class Gallery {
    constructor(id, items, data, marks) {
      Object.assign(this, { id, items, data, marks, page: 0 });
      this.tools = byId(`${id}-tools`);
      this.tools.hidden = false;
      this.tools.addEventListener("submit", (event) => event.preventDefault());
      this.tools.addEventListener("input", () => this.from(0));
      byId(`${id}-back`).addEventListener("click", () => this.turn(-1));
      byId(`${id}-on`).addEventListener("click", () => this.turn(1));
      this.from(0);
    }

    value(field) {
      const element = byId(`${this.id}-${field}`);
      return element ? element.value : "";
    }

    bound(field, otherwise) {
      const value = Number.parseFloat(this.value(field));
      return Number.isFinite(value) ? value : otherwise;
    }

    score() {
      const wish = this.value("score");
      return wish === "" ? lowest : (item) => item.scores[this.data.scores[wish]] ?? null;
    }

    // The items that pass all filters, in the chosen order.
    chosen() {
      const wanted = { class: "classes", generator: "generators", selector: "selectors" };
      const score = this.score();
      const low = this.bound("low", 0);
      const high = this.bound("high", 1);
      const marked = byId(`${this.id}-marked`);
      const passes = (item) =>
        Object.entries(wanted).every(([field, list]) => {
          const wish = this.value(field);
          return wish === "" || item[field] === this.data[list][wish];
        }) &&
        (score(item) === null ? low <= 0 && high >= 1 : score(item) >= low && score(item) <= high) &&
        !(marked && marked.checked && !this.marks.names.has(item.file));
      return this.items.filter(passes).sort(ORDERS[this.value("order")](score));
    }

    turn(pages) {
      const before = this.page;
      this.from(before + pages);
      if (this.page !== before) byId(this.id).scrollIntoView({ block: "start" });
    }

    from(page) {
      const found = this.chosen();
      const pages = Math.max(1, Math.ceil(found.length / PAGE));
      this.page = Math.min(Math.max(0, page), pages - 1);
      const first = this.page * PAGE;
      const shown = found.slice(first, first + PAGE);
      byId(`${this.id}-cards`).replaceChildren(...shown.map((item) => this.card(item)));
      // Not `disabled`: a button that vanishes from under the keyboard loses its focus.
      byId(`${this.id}-back`).setAttribute("aria-disabled", String(this.page === 0));
      byId(`${this.id}-on`).setAttribute("aria-disabled", String(this.page === pages - 1));
      byId(`${this.id}-page`).textContent = `page ${this.page + 1} of ${pages}`;
      this.found = found.length;
      this.first = first;
      this.last = first + shown.length;
      this.tell();
    }

    tell() {
      const range = this.found ? `${this.first + 1} to ${this.last} of ${this.found} shown` : "none shown";
      const few = this.found < this.items.length ? `, filtered from ${this.items.length}` : "";
      const marked = this.marks ? `; ${this.marks.names.size} rejected` : "";
      byId(`${this.id}-status`).textContent = range + few + marked;
    }

    card(item) {
      const card = make("li", "card");
      if (this.marks || item.picture !== null) card.append(this.pair(item));
      card.append(this.title(item));
      if (item.reason) card.append(this.reason(item));
      card.append(this.facts(item));
      if (this.marks) this.addMark(card, item);
      return card;
    }

    pair(item) {
      const pair = make("div", "pair");
      const near = item.nearest;
      pair.append(this.picture(item.picture, `synthetic image of ${item.class}`, this.marks ? "synthetic" : "candidate"));
      if (near) pair.append(this.picture(near.picture, `nearest real image, ${near.file}`, "nearest real"));
      return pair;
    }

    picture(number, text, caption) {
      const figure = make("figure");
      if (number === null || number === undefined) {
        figure.append(make("span", "none", "not shown"));
      } else {
        const image = make("img");
        image.src = this.data.pictures[number];
        image.alt = text;
        image.width = image.height = 96;
        figure.append(image);
      }
      figure.append(make("figcaption", "", caption));
      return figure;
    }

    title(item) {
      const title = make("p", "title");
      title.append(make("bdi", "label", item.class), make("bdi", "file", item.file.split("/").pop()));
      return title;
    }

    reason(item) {
      const reason = make("p", "reason");
      reason.append(make("strong", "", item.selector), ": ", make("bdi", "", item.reason));
      return reason;
    }

    facts(item) {
      const list = make("dl", "scores");
      const facts = Object.entries(item.scores);
      if (item.nearest) facts.push(["distance", item.nearest.distance]);
      if (item.weight !== undefined) facts.push(["weight", item.weight]);
      for (const [name, value] of facts) {
        const row = make("div");
        row.append(make("dt", "", name), make("dd", "", value.toFixed(2)));
        list.append(row);
      }
      return list;
    }

    addMark(card, item) {
      const button = make("button", "mark-button");
      button.type = "button";
      const show = () => {
        const rejected = this.marks.names.has(item.file);
        card.classList.toggle("out", rejected);
        button.setAttribute("aria-pressed", String(rejected));
        button.textContent = rejected ? "✕ Rejected" : "Reject";
        button.append(make("span", "unseen", ` ${item.file}`));
      };
      button.addEventListener("click", () => {
        this.marks.toggle(item.file);
        show();
        this.tell();
      });
      show();
      card.append(button);
    }
  }

  function start(data) {
    if (byId("images")) {
      const marks = new Marks(data.key, new Set(data.images.map((item) => item.file)));
      new Gallery("images", data.images, data, marks);
      const button = byId("download");
      button.hidden = false;
      button.addEventListener("click", () => {
        const now = data.images.map((item) => item.file).filter((name) => marks.names.has(name));
        const rejected = [...data.before, ...now]; // else what was rejected before would come back
        save("rejected.json", `${JSON.stringify({ format: 1, rejected }, null, 2)}\n`, "application/json");
      });
    }
    if (byId("rejected")) new Gallery("rejected", data.rejected, data, null);
  }

  function chooseCurves() {
    const figures = all(".curve-of");
    const choice = byId("curve");
    if (!choice) return;
    const show = () => figures.forEach((figure, place) => (figure.hidden = place !== Number(choice.value)));
    byId("curve-field").hidden = false;
    choice.addEventListener("change", show);
    show();
  }

  function offerConfig() {
    const button = byId("config-download");
    if (!button) return;
    button.hidden = false;
    button.addEventListener("click", () => save("run.yaml", byId("config").textContent, "application/yaml"));
  }

  if (byId("data")) start(JSON.parse(byId("data").textContent));
  chooseCurves();
  offerConfig();
})();
