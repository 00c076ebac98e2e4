// Who works at the company, and on what: the departments, projects and people that the demo's sign-ins are made of.

export interface Project {
  readonly id: string;
  readonly name: string;
  readonly department: { readonly id: string; readonly name: string };
}

/** One of each of the product's roles, and one who has two. */
export interface Person {
  readonly id: string;
  readonly name: string;
  /** The role in the words of the product, and where it is held. */
  readonly title: string;
  readonly cloudAdmin?: boolean;
  /** By project id. */
  readonly roles?: Readonly<Record<string, 'PROJECT_ADMIN' | 'USER' | 'READER'>>;
  /** By department id. */
  readonly departments?: Readonly<Record<string, 'DEPARTMENT_ADMIN'>>;
}

const retail = { id: 'd-retail', name: '零售事业部' };
const supply = { id: 'd-supply', name: '供应链事业部' };
const data = { id: 'd-data', name: '数据智能部' };

export const projects: readonly Project[] = [
  { id: 'p-shop', name: '网店', department: retail },
  { id: 'p-member', name: '会员中心', department: retail },
  { id: 'p-logistics', name: '物流调度', department: supply },
  { id: 'p-settlement', name: '财务结算', department: supply },
  { id: 'p-vision', name: '图像识别', department: data },
  { id: 'p-lake', name: '数据湖', department: data },
];

export const people: readonly Person[] = [
  { id: 'u-lin', name: '林涛', title: '云管理员', cloudAdmin: true },
  { id: 'u-chen', name: '陈静', title: '部门管理员（零售事业部）', departments: { 'd-retail': 'DEPARTMENT_ADMIN' } },
  { id: 'u-zhao', name: '赵磊', title: '项目管理员（网店）', roles: { 'p-shop': 'PROJECT_ADMIN' } },
  { id: 'u-wang', name: '王芳', title: '普通用户（网店）', roles: { 'p-shop': 'USER' } },
  { id: 'u-sun', name: '孙悦', title: '只读用户（网店、会员中心）', roles: { 'p-shop': 'READER', 'p-member': 'READER' } },
  {
    id: 'u-he',
    name: '何敏',
    title: '项目管理员（图像识别）兼普通用户（数据湖）',
    roles: { 'p-vision': 'PROJECT_ADMIN', 'p-lake': 'USER' },
  },
];
