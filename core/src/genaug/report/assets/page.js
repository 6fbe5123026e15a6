"use strict";
(() => {
  const IMAGES_PER_PAGE = 24;
  const byId = (id) => document.getElementById(id);
  const all = document.querySelectorAll.bind(document);

  function createElement(tag, className, text) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  }

  function download(name, text, type) {
    const link = createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type }));
    link.download = name;
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  // The images that a person has rejected. They are kept while paging and filtering and, if the browser allows it, after
  // a reload.
  class ManualRejections {
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
        // this page has no storage: the rejections are lost on a reload
      }
    }
  }

  function lowest(item) {
    const values = Object.values(item.scores);
    return values.length ? Math.min(...values) : null;
  }

  const ORDERS = {
    lowest: (score) => (a, b) => (score(a) ?? 2) - (score(b) ?? 2),
    highest: (score) => (a, b) => (score(b) ?? -1) - (score(a) ?? -1),
    nearest: () => (a, b) => (a.nearest ? a.nearest.distance : 3) - (b.nearest ? b.nearest.distance : 3),
    file: () => () => 0,
  };

  class Gallery {
    constructor(id, items, data, rejections) {
      Object.assign(this, { id, items, data, rejections, page: 0 });
      this.tools = byId(`${id}-tools`);
      this.tools.hidden = false;
      this.tools.addEventListener("submit", (event) => event.preventDefault());
      this.tools.addEventListener("input", () => this.showPage(0));
      byId(`${id}-previous`).addEventListener("click", () => this.turn(-1));
      byId(`${id}-next`).addEventListener("click", () => this.turn(1));
      this.showPage(0);
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
      const choice = this.value("score");
      return choice === "" ? lowest : (item) => item.scores[this.data.scores[choice]] ?? null;
    }

    // The items that pass all filters, in the chosen order.
    chosen() {
      const lists = { class: "classes", generator: "generators", selector: "selectors" };
      const score = this.score();
      const low = this.bound("low", 0);
      const high = this.bound("high", 1);
      const rejectedOnly = byId(`${this.id}-rejected-only`);
      const passes = (item) =>
        Object.entries(lists).every(([field, list]) => {
          const choice = this.value(field);
          return choice === "" || item[field] === this.data[list][choice];
        }) &&
        (score(item) === null ? low <= 0 && high >= 1 : score(item) >= low && score(item) <= high) &&
        !(rejectedOnly && rejectedOnly.checked && !this.rejections.names.has(item.file));
      return this.items.filter(passes).sort(ORDERS[this.value("order")](score));
    }

    turn(pages) {
      const before = this.page;
      this.showPage(before + pages);
      if (this.page !== before) byId(this.id).scrollIntoView({ block: "start" });
    }

    showPage(page) {
      const found = this.chosen();
      const pages = Math.max(1, Math.ceil(found.length / IMAGES_PER_PAGE));
      this.page = Math.min(Math.max(0, page), pages - 1);
      const first = this.page * IMAGES_PER_PAGE;
      const shown = found.slice(first, first + IMAGES_PER_PAGE);
      byId(`${this.id}-cards`).replaceChildren(...shown.map((item) => this.card(item)));
      // Not `disabled`: a button that vanishes from under the keyboard loses its focus.
      byId(`${this.id}-previous`).setAttribute("aria-disabled", String(this.page === 0));
      byId(`${this.id}-next`).setAttribute("aria-disabled", String(this.page === pages - 1));
      byId(`${this.id}-page`).textContent = `page ${this.page + 1} of ${pages}`;
      this.found = found.length;
      this.first = first;
      this.last = first + shown.length;
      this.showStatus();
    }

    showStatus() {
      const [noun, nouns] = this.rejections ? ["image", "Images"] : ["candidate", "Candidates"];
      const found = this.found
        ? `${nouns} ${this.first + 1} to ${this.last} of ${this.found}`
        : `No ${noun} matches these filters`;
      const filtered = this.found < this.items.length ? ` (${this.items.length} without filters)` : "";
      const rejected = this.rejections ? `; ${this.rejections.names.size} rejected` : "";
      byId(`${this.id}-status`).textContent = found + filtered + rejected;
    }

    card(item) {
      const card = createElement("li", "card");
      if (this.rejections || item.picture !== null) card.append(this.pair(item));
      card.append(this.title(item));
      if (item.reason) card.append(this.reason(item));
      card.append(this.facts(item));
      if (this.rejections) this.addRejectButton(card, item);
      return card;
    }

    pair(item) {
      const pair = createElement("div", "pair");
      const near = item.nearest;
      pair.append(this.picture(item.picture, `synthetic image of ${item.class}`, this.rejections ? "synthetic" : "candidate"));
      if (near) pair.append(this.picture(near.picture, `nearest real image, ${near.file}`, "nearest real: ", near.class));
      const copied = item.copied;
      if (copied) pair.append(this.picture(copied.picture, `copied real image, ${copied.file}`, "copy of: ", copied.class));
      return pair;
    }

    picture(number, text, caption, label = "") {
      const figure = createElement("figure");
      if (number === null || number === undefined) {
        figure.append(createElement("span", "none", "not shown"));
      } else {
        const image = createElement("img");
        image.src = this.data.pictures[number];
        image.alt = text;
        image.width = image.height = 96;
        figure.append(image);
      }
      const words = createElement("figcaption", "", caption);
      words.append(createElement("bdi", "", label));
      figure.append(words);
      return figure;
    }

    title(item) {
      const title = createElement("p", "title");
      title.append(createElement("bdi", "label", item.class), createElement("bdi", "file", item.file.split("/").pop()));
      return title;
    }

    reason(item) {
      const reason = createElement("p", "reason");
      reason.append(createElement("strong", "", item.selector), ": ", createElement("bdi", "", item.reason));
      return reason;
    }

    facts(item) {
      const list = createElement("dl", "scores");
      const facts = Object.entries(item.scores);
      if (item.nearest) facts.push(["distance", item.nearest.distance]);
      if (item.weight !== undefined) facts.push(["weight", item.weight]);
      for (const [name, value] of facts) {
        const row = createElement("div");
        row.append(createElement("dt", "", name), createElement("dd", "", value.toFixed(2)));
        list.append(row);
      }
      return list;
    }

    addRejectButton(card, item) {
      const button = createElement("button", "reject-button");
      button.type = "button";
      const show = () => {
        const rejected = this.rejections.names.has(item.file);
        card.classList.toggle("rejected", rejected);
        button.setAttribute("aria-pressed", String(rejected));
        button.textContent = rejected ? "✕ Rejected" : "Reject";
        button.append(createElement("span", "unseen", ` ${item.file}`));
      };
      button.addEventListener("click", () => {
        this.rejections.toggle(item.file);
        show();
        this.showStatus();
      });
      show();
      card.append(button);
    }
  }

  function start(data) {
    if (byId("images")) {
      const rejections = new ManualRejections(data.key, new Set(data.images.map((item) => item.file)));
      new Gallery("images", data.images, data, rejections);
      const button = byId("download");
      button.hidden = false;
      button.addEventListener("click", () => {
        const now = data.images.map((item) => item.file).filter((name) => rejections.names.has(name));
        const rejected = [...data.rejected_before, ...now]; // a run accepts images again that are not in the list
        download("rejected.json", `${JSON.stringify({ format: 1, rejected }, null, 2)}\n`, "application/json");
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
    button.addEventListener("click", () => download("run.yaml", byId("config").textContent, "application/yaml"));
  }

  if (byId("data")) start(JSON.parse(byId("data").textContent));
  chooseCurves();
  offerConfig();
})();
