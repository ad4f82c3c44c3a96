import { h } from 'vue'
import type { Theme } from 'vitepress'
import DefaultTheme from 'vitepress/theme-without-fonts'
import Layers from './Layers.vue'
import { layOutCodeWhenIdle } from './lay-out-code.ts'
import Licences from './Licences.vue'
import NotFound from './NotFound.vue'
import Plan from './Plan.vue'
import Sequence from './Sequence.vue'
import { setOnce } from './set-once.ts'
import './style.css'

export default {
  extends: DefaultTheme,
  Layout: () =>
    h(DefaultTheme.Layout, null, { 'doc-footer-before': () => h(Licences), 'not-found': () => h(NotFound) }),
  setup: layOutCodeWhenIdle,
  enhanceApp({ app }) {
    if (!import.meta.env.SSR) setOnce()
    app.component('Layers', Layers)
    app.component('Plan', Plan)
    app.component('Sequence', Sequence)
  },
} satisfies Theme
