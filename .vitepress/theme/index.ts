import type { Theme } from 'vitepress'
import DefaultTheme from 'vitepress/theme-without-fonts'
import Layers from './Layers.vue'
import Plan from './Plan.vue'
import Sequence from './Sequence.vue'
import './style.css'

export default {
  extends: DefaultTheme,
  enhanceApp({ app }) {
    app.component('Layers', Layers)
    app.component('Plan', Plan)
    app.component('Sequence', Sequence)
  },
} satisfies Theme
